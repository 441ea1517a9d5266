import type { CollectionMeta } from './model.ts';
import type { Timestamp } from '../schema/index.ts';

/** How long a collection's rows live, in whole seconds; absent, 0 and negative = for ever. */
export const TTL_PROPERTY = 'collection.ttl.seconds';

const LOGICAL_BITS = 18n;

export function hasTimeToLive({ properties }: Pick<CollectionMeta, 'properties'>): boolean {
  return ttlSecondsOf(properties) > 0;
}

/**
 * The oldest timestamp a row may have at `nowMs` to count still; 0n = any. It moves in steps of a second, so that whatever is
 * derived from it can be kept that long.
 */
export function oldestLiving({ properties }: Pick<CollectionMeta, 'properties'>, nowMs: number): Timestamp {
  const ttlSeconds = ttlSecondsOf(properties);
  if (!(ttlSeconds > 0)) return 0n as Timestamp;
  const seconds = Math.max(0, Math.floor(nowMs / 1_000) - ttlSeconds);
  return (BigInt(seconds * 1_000) << LOGICAL_BITS) as Timestamp;
}

function ttlSecondsOf(properties: CollectionMeta['properties']): number {
  return Number(properties[TTL_PROPERTY] ?? 0);
}
