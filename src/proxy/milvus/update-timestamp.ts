import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';

/** Distinguishes a schema from the one before it, also when the collection was dropped and created again. */
export function updateTimestampOf(collection: CollectionMeta): bigint {
  return BigInt(collection.createdTimestamp) + BigInt(collection.schemaVersion);
}

/** Clients that cache schemas say with which one they encoded their rows; on `SCHEMA_MISMATCH` they read it again. */
export function checkSchemaTimestamp(collection: CollectionMeta, schemaTimestamp: bigint): void {
  if (schemaTimestamp === 0n || schemaTimestamp === updateTimestampOf(collection)) return;
  throw new MishardsError(
    'SCHEMA_MISMATCH',
    `collection schema mismatch[collection=${collection.name}], the rows were made for another version of it`,
  );
}
