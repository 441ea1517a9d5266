import type { ConsistencyLevel } from './model.ts';
import type {
  CollectionId,
  CollectionSchema,
  FieldSchema,
  IndexId,
  Metric,
  PartitionId,
} from '../schema/index.ts';

type Properties = Readonly<Record<string, string>>;

/**
 * Changes of the catalog, carried out by the active writer in one transaction each. Names are resolved and schemas
 * validated in the proxy; the writer checks again what another command may have changed since.
 */
export type CatalogCommand =
  | { readonly kind: 'create-database'; readonly name: string; readonly properties: Properties }
  | { readonly kind: 'drop-database'; readonly name: string }
  | {
      readonly kind: 'alter-database';
      readonly name: string;
      readonly set: Properties;
      readonly remove: readonly string[];
    }
  | CreateCollectionCommand
  | { readonly kind: 'drop-collection'; readonly collectionId: CollectionId }
  | {
      readonly kind: 'rename-collection';
      readonly collectionId: CollectionId;
      readonly databaseName: string;
      readonly name: string;
    }
  | {
      readonly kind: 'alter-collection';
      readonly collectionId: CollectionId;
      readonly set: Properties;
      readonly remove: readonly string[];
    }
  | AlterFieldCommand
  | AddFieldCommand
  | { readonly kind: 'truncate-collection'; readonly collectionId: CollectionId }
  | { readonly kind: 'create-alias'; readonly collectionId: CollectionId; readonly alias: string }
  | { readonly kind: 'alter-alias'; readonly collectionId: CollectionId; readonly alias: string }
  | { readonly kind: 'drop-alias'; readonly databaseName: string; readonly alias: string }
  | { readonly kind: 'create-partition'; readonly collectionId: CollectionId; readonly name: string }
  | { readonly kind: 'drop-partition'; readonly collectionId: CollectionId; readonly name: string }
  | CreateIndexCommand
  | {
      readonly kind: 'alter-index';
      readonly collectionId: CollectionId;
      readonly indexId: IndexId;
      readonly set: Properties;
      readonly remove: readonly string[];
    }
  | { readonly kind: 'drop-index'; readonly collectionId: CollectionId; readonly indexId: IndexId }
  | LoadCommand
  | {
      readonly kind: 'release';
      readonly collectionId: CollectionId;
      /** null = the whole collection. */ readonly partitionIds: readonly PartitionId[] | null;
    };

export interface CreateCollectionCommand {
  readonly kind: 'create-collection';
  readonly databaseName: string;
  readonly name: string;
  readonly schema: CollectionSchema;
  readonly shardsNum: number;
  readonly consistencyLevel: ConsistencyLevel;
  readonly properties: Properties;
  /** More than 1 only with a partition key. */
  readonly partitionCount: number;
}

export interface AlterFieldCommand {
  readonly kind: 'alter-field';
  readonly collectionId: CollectionId;
  readonly fieldId: number;
  /** null = as it is. */
  readonly maxLength: number | null;
  /** null = as it is. */
  readonly maxCapacity: number | null;
  /** Of its other type parameters. */
  readonly set: Properties;
  readonly remove: readonly string[];
}

export interface AddFieldCommand {
  readonly kind: 'add-field';
  readonly collectionId: CollectionId;
  /** Its id is the writer's to give. Rows that are there have its default, or null; the dynamic field's is `{}`. */
  readonly field: FieldSchema;
}

export interface CreateIndexCommand {
  readonly kind: 'create-index';
  readonly collectionId: CollectionId;
  readonly name: string;
  readonly fieldId: number;
  readonly requestedType: string;
  readonly type: string;
  readonly metric: Metric | null;
  readonly params: Properties;
}

export interface LoadCommand {
  readonly kind: 'load';
  readonly collectionId: CollectionId;
  readonly replicas: number;
  /** null = all; else added to what is loaded. */
  readonly partitionIds: readonly PartitionId[] | null;
  readonly fieldIds: readonly number[] | null;
}
