import type { CollectionMeta } from '../../catalog/model.ts';
import { TTL_FIELD } from '../../catalog/time-to-live.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FilterText } from '../../protocol/reader-api.ts';
import { findField, type CollectionSchema } from '../../schema/index.ts';
import { formatInstant } from '../../util/instant.ts';
import { UTC } from '../../util/time-zone.ts';

/**
 * A filter that also leaves out rows whose own time has come; rows without one live for ever. The time moves in steps of a
 * second, so that readers can keep what they found out about a segment that long.
 */
export function livingRows(
  { properties }: Pick<CollectionMeta, 'properties'>,
  filter: FilterText | null,
  nowMs: number,
): FilterText | null {
  const field = properties[TTL_FIELD];
  if (field === undefined) return filter;
  const now = formatInstant(BigInt(Math.floor(nowMs / 1_000)) * 1_000_000n, UTC);
  const living = `(${field} is null or ${field} > ISO '${now}')`;
  return { text: filter === null ? living : `(${filter.text}) and ${living}`, values: filter?.values ?? {} };
}

/** Throws `PARAMETER_INVALID` where the property names what is no time of the rows. */
export function checkTtlField(name: string, schema: CollectionSchema): void {
  const field = findField(schema, name);
  if (field?.type === 'Timestamptz') return;
  const problem = field === undefined ? 'does not exist' : `is ${field.type}`;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `ttl field ${name} ${problem}, it should be a field of type Timestamptz`,
  );
}
