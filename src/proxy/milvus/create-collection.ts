import { checkTtlField } from './living-rows.ts';
import { TTL_FIELD } from '../../catalog/time-to-live.ts';
import { checkProperties } from './properties.ts';
import type { CreateCollectionCommand } from '../../catalog/commands.ts';
import type { DatabaseMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { checkCollectionName } from '../../schema/index.ts';
import { schemaFromWire } from '../translate/collection-schema.ts';
import { consistencyLevelOf } from '../translate/data-types.ts';
import { CollectionSchema, type CreateCollectionRequest } from '../translate/generated/milvus.js';
import { recordOfPairs } from '../translate/key-values.ts';
import { TIMEZONE, zoneOf } from '../translate/times.ts';

const SHARDS_MAX = 16;
const SHARDS_DEFAULT = 1;
const PARTITIONS_MAX = 1_024;
/** Partitions of a collection with a partition key whose creator names no number. */
const KEY_PARTITIONS_DEFAULT = 16;

export function createCollectionCommand(
  request: CreateCollectionRequest,
  database: Pick<DatabaseMeta, 'name' | 'properties'>,
): CreateCollectionCommand {
  const name = request.collectionName.trim();
  checkCollectionName(name);
  const shardsNum = request.shardsNum === 0 ? SHARDS_DEFAULT : request.shardsNum;
  if (shardsNum < 1 || shardsNum > SHARDS_MAX) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `maximum shards's number should be limited to ${SHARDS_MAX}, but got ${shardsNum}`,
    );
  }
  const given = recordOfPairs(request.properties);
  checkProperties(given, 'collection');
  // A collection keeps the zone it was made with when its database's changes.
  const properties = { ...given, [TIMEZONE]: given[TIMEZONE] ?? zoneOf(database) };
  const schema = schemaFromWire(CollectionSchema.decode(request.schema), zoneOf({ properties }));
  if (given[TTL_FIELD] !== undefined) checkTtlField(given[TTL_FIELD], schema);
  const hasPartitionKey = schema.fields.some((field) => field.isPartitionKey);
  return {
    kind: 'create-collection',
    databaseName: database.name,
    name,
    schema,
    shardsNum,
    consistencyLevel: consistencyLevelOf(request.consistencyLevel),
    properties,
    partitionCount: partitionCountOf(Number(request.numPartitions), hasPartitionKey),
  };
}

function partitionCountOf(asked: number, hasPartitionKey: boolean): number {
  if (!hasPartitionKey) {
    if (asked === 0) return 1;
    throw new MishardsError(
      'PARAMETER_INVALID',
      'num_partitions should only be specified with partition key field enabled',
    );
  }
  if (asked < 0) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      'the specified partitions should be greater than 0 if partition key is used',
    );
  }
  if (asked > PARTITIONS_MAX) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `partition number (${asked}) exceeds max configuration (${PARTITIONS_MAX})`,
    );
  }
  return asked === 0 ? KEY_PARTITIONS_DEFAULT : asked;
}
