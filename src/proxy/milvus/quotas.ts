import type { FrontServices } from './handler.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';

const DENY = { writing: 'database.force.deny.writing', reading: 'database.force.deny.reading' } as const;
const DISK_QUOTA = 'database.diskQuota.mb';
const BYTES_PER_MB = 1_048_576;

/** Throws `QUOTA_EXCEEDED` where the database lets no rows in: by order, or because its segments weigh what they may. */
export function checkMayWrite(services: FrontServices, collection: CollectionMeta): void {
  checkOrder(services, collection, 'writing');
  const { catalog } = services.core;
  const snapshot = catalog.snapshot();
  const { databaseName } = collection;
  const quota = snapshot.databases.get(databaseName)?.properties[DISK_QUOTA];
  if (quota === undefined) return;
  const sizeBytes = snapshot
    .collectionsOf(databaseName)
    .flatMap(({ id }) => snapshot.segmentsOf(id))
    .reduce((sum, segment) => sum + segment.sizeBytes, 0);
  if (sizeBytes < Number(quota) * BYTES_PER_MB) return;
  throw exceeded(
    `the segments of database ${databaseName} weigh ${sizeBytes} bytes, no less than its ${DISK_QUOTA} of ${quota}; drop what is not needed or raise it`,
  );
}

/** As `checkMayWrite`; but deletes make room, so no weight stands in their way. */
export function checkMayDelete(services: FrontServices, collection: CollectionMeta): void {
  checkOrder(services, collection, 'writing');
}

export function checkMayRead(services: FrontServices, collection: CollectionMeta): void {
  checkOrder(services, collection, 'reading');
}

function checkOrder(
  { core }: FrontServices,
  { databaseName }: CollectionMeta,
  what: keyof typeof DENY,
): void {
  const properties = core.catalog.snapshot().databases.get(databaseName)?.properties ?? {};
  if (properties[DENY[what]]?.toLowerCase() !== 'true') return;
  throw exceeded(`force to deny ${what}: property ${DENY[what]} of database ${databaseName} is true`);
}

function exceeded(message: string): MishardsError {
  return new MishardsError('QUOTA_EXCEEDED', message);
}
