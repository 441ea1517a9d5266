import type { CollectionMeta } from './model.ts';
import { findField, type FieldSchema, type Timestamp } from '../schema/index.ts';

/** How long a collection's rows live, in whole seconds; absent, 0 and negative = for ever. */
export const TTL_PROPERTY = 'collection.ttl.seconds';

/** The property that names the field whose time is each row's last. */
export const TTL_FIELD = 'ttl_field';

/** What tells rows that have outlived their time. */
export interface RowLife {
  /** Rows with an older timestamp have; 0n = none. */
  readonly since: Timestamp;
  /** Rows whose value of the field, in microseconds since 1970, is at most `through` have; null = none. */
  readonly end: { readonly field: FieldSchema; readonly through: bigint } | null;
}

const LOGICAL_BITS = 18n;

export function hasTimeToLive({ properties }: Pick<CollectionMeta, 'properties'>): boolean {
  return ttlSecondsOf(properties) > 0 || properties[TTL_FIELD] !== undefined;
}

/** What of a collection's rows has outlived its time at `nowMs`. */
export function rowLifeOf(
  { properties, schema }: Pick<CollectionMeta, 'properties' | 'schema'>,
  nowMs: number,
): RowLife {
  const name = properties[TTL_FIELD];
  const field = name === undefined ? undefined : findField(schema, name);
  const through = BigInt(Math.floor(nowMs / 1_000)) * 1_000_000n;
  return {
    since: oldestLiving({ properties }, nowMs),
    end: field?.type === 'Timestamptz' ? { field, through } : null,
  };
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
