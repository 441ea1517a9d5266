import {
  columnBytes,
  concatColumns,
  createColumnBuilder,
  emptyColumn,
  shapeOfColumn,
  type ColumnShape,
  type PrimaryKeyColumn,
} from '../columns/index.ts';
import type { LogSequence, PartitionId, Timestamp } from '../schema/index.ts';
import type { DeleteBatch } from './segment.ts';

interface RememberedDelete {
  readonly sequence: LogSequence;
  readonly timestamp: Timestamp;
  readonly partitionId: PartitionId | null;
  readonly keys: PrimaryKeyColumn;
}

/** The deletes of a channel, by the entry they came with. */
export class DeleteHistory {
  readonly #keyShape: ColumnShape;
  #deletes: RememberedDelete[] = [];
  #sizeBytes = 0;

  constructor(keyShape: ColumnShape) {
    this.#keyShape = keyShape;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Sequences ascend. The keys are copied, because they are views into a log entry that may hold much more. */
  add(
    sequence: LogSequence,
    timestamp: Timestamp,
    partitionId: PartitionId | null,
    keys: PrimaryKeyColumn,
  ): void {
    const builder = createColumnBuilder(shapeOfColumn(keys), keys.length);
    builder.append(keys);
    const copy = builder.view() as PrimaryKeyColumn;
    this.#deletes.push({ sequence, timestamp, partitionId, keys: copy });
    this.#sizeBytes += columnBytes(copy);
  }

  /** Deletes of sequences in (after, through]. */
  between(after: LogSequence, through: LogSequence): DeleteBatch {
    const deletes = this.#deletes.slice(this.#firstAfter(after), this.#firstAfter(through));
    const columns = deletes.map((entry) => entry.keys);
    const keys = columns.length === 0 ? emptyColumn(this.#keyShape) : concatColumns(columns);
    const timestamps = new BigUint64Array(keys.length);
    const partitionIds: (PartitionId | null)[] = [];
    let at = 0;
    for (const entry of deletes) {
      timestamps.fill(entry.timestamp, at, at + entry.keys.length);
      for (let row = 0; row < entry.keys.length; row++) partitionIds.push(entry.partitionId);
      at += entry.keys.length;
    }
    return { keys: keys as PrimaryKeyColumn, timestamps, partitionIds };
  }

  dropThrough(sequence: LogSequence): void {
    this.#deletes = this.#deletes.slice(this.#firstAfter(sequence));
    this.#sizeBytes = this.#deletes.reduce((sum, entry) => sum + columnBytes(entry.keys), 0);
  }

  #firstAfter(sequence: LogSequence): number {
    let low = 0;
    let high = this.#deletes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#deletes[middle]!.sequence <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
