import { MAX_COLLECTIONS } from '../../catalog/database-properties.ts';
import { TTL_FIELD, TTL_PROPERTY } from '../../catalog/time-to-live.ts';
import { MishardsError } from '../../errors/index.ts';
import { LEVEL_PROPERTY } from '../translate/altered-properties.ts';
import { levelNamed } from '../translate/data-types.ts';
import { checkZone, TIMEZONE } from '../translate/times.ts';

/** 100 years. */
const TTL_SECONDS_MAX = 3_155_760_000;

type Properties = Readonly<Record<string, string>>;

interface Unsupported {
  readonly key: RegExp;
  /** Whether a value asks for the effect; others switch it off. */
  readonly asks: (value: string) => boolean;
}

/**
 * Properties that would change what a collection or a database does, in ways that are not there yet. Others are kept and
 * shown.
 */
const UNSUPPORTED: readonly Unsupported[] = [
  {
    key: /^partitionkey\.isolation$|^dynamicfield\.enabled$|^allow_insert_auto_id$|^namespace\.enabled$/,
    asks: isTrue,
  },
  { key: /^collection\.(\w+Rate|diskProtection)\./, asks: isPositive },
  { key: /^database\.force\.deny\.(?!(reading|writing)$)/, asks: isTrue },
];

export function checkProperties(properties: Properties, of: 'collection' | 'database'): void {
  checkTimeToLive(properties[TTL_PROPERTY], of);
  if (TTL_FIELD in properties && Number(properties[TTL_PROPERTY] ?? 0) > 0) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `${TTL_PROPERTY} and ${TTL_FIELD} cannot be set together; rows live by one of them`,
    );
  }
  const level = properties[LEVEL_PROPERTY];
  if (level !== undefined && of === 'collection') levelNamed(level);
  const zone = properties[TIMEZONE];
  if (zone !== undefined) checkZone(zone);
  for (const key of COUNTS) checkCount(key, properties[key]);
  for (const [key, value] of Object.entries(properties)) {
    if (UNSUPPORTED.some((one) => one.key.test(key) && one.asks(value))) {
      throw new MishardsError('NOT_SUPPORTED', `property ${key} = ${value} is not supported yet`);
    }
  }
}

/** Of a database; whole numbers above 0. */
const COUNTS = [MAX_COLLECTIONS, 'database.diskQuota.mb', 'database.replica.number'] as const;

function checkCount(key: string, value: string | undefined): void {
  if (value === undefined || /^[1-9]\d{0,14}$/.test(value)) return;
  throw new MishardsError('PARAMETER_INVALID', `property ${key} [${value}] should be a whole number above 0`);
}

function checkTimeToLive(text: string | undefined, of: 'collection' | 'database'): void {
  if (text === undefined) return;
  if (!/^-?\d+$/.test(text)) {
    throw new MishardsError('PARAMETER_INVALID', `collection TTL is not a valid positive integer: ${text}`);
  }
  const seconds = Number(text);
  if (seconds < -1 || seconds > TTL_SECONDS_MAX) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `collection TTL is out of range, expect [-1, ${TTL_SECONDS_MAX}], got ${text}`,
    );
  }
  if (of === 'database' && seconds > 0) {
    throw new MishardsError(
      'NOT_SUPPORTED',
      `property ${TTL_PROPERTY} = ${text} of a database is not supported yet; give it to its collections`,
    );
  }
}

/** Copies of a collection whose load names no number: its own property, its database's, or 1. */
export function defaultReplicas(collection: Properties, database: Properties): number {
  const text = collection['collection.replica.number'] ?? database['database.replica.number'];
  const replicas = Number(text ?? 1);
  if (Number.isInteger(replicas) && replicas >= 1) return replicas;
  throw new MishardsError('PARAMETER_INVALID', `replica number [${text}] should be a positive number`);
}

function isTrue(value: string): boolean {
  return value.toLowerCase() === 'true';
}

function isPositive(value: string): boolean {
  return Number(value) > 0;
}
