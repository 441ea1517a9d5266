import type { PrimaryKeyColumn, RowBatch } from '../columns/column.ts';
import type { PartitionId } from '../schema/index.ts';

/** What a log entry's type number means. Numbers are stored; never reuse one. */
export const MUTATION_TYPES = { insert: 1, delete: 2, upsert: 3 } as const;

/** A change of rows in one channel, as it stands in the log. Its timestamp is the entry's. */
export type Mutation =
  /** `rows` has every stored field, also the primary key. */
  | { readonly kind: 'insert'; readonly partitionId: PartitionId; readonly rows: RowBatch }
  | {
      readonly kind: 'delete';
      /** null = all. */ readonly partitionId: PartitionId | null;
      readonly keys: PrimaryKeyColumn;
    }
  /** Removes older rows of the same keys in all partitions, then inserts. */
  | { readonly kind: 'upsert'; readonly partitionId: PartitionId; readonly rows: RowBatch };
