import { mapOfPairs } from './key-values.ts';
import type { KeyValuePair } from './generated/milvus.js';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { isTimeZone, UTC } from '../../util/time-zone.ts';

/** The property of databases and collections, and the parameter of requests, that names a zone. */
export const TIMEZONE = 'timezone';

export const TIME_FIELDS = ['year', 'month', 'day', 'hour', 'minute', 'second', 'microsecond'] as const;
export type TimeField = (typeof TIME_FIELDS)[number];

/** How a request wants times shown. */
export interface TimeView {
  readonly zone: string;
  /** null = as text; else these numbers of each time. */
  readonly fields: readonly TimeField[] | null;
}

export function zoneOf({ properties }: Pick<CollectionMeta, 'properties'>): string {
  return properties[TIMEZONE] ?? UTC;
}

/** Throws `PARAMETER_INVALID` for what no clock goes by. */
export function checkZone(zone: string): void {
  if (isTimeZone(zone)) return;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `invalid timezone [${zone}], it should be a name of the IANA database such as Asia/Shanghai`,
  );
}

/** Read from the parameters of a query or search; the collection's zone unless they name another. */
export function timeViewFromWire(pairs: readonly KeyValuePair[], collection: CollectionMeta): TimeView {
  const params = mapOfPairs(pairs);
  const asked = params.get(TIMEZONE) ?? '';
  if (asked !== '') checkZone(asked);
  const names = (params.get('time_fields') ?? '').split(/[\s,]+/).filter((name) => name !== '');
  return {
    zone: asked === '' ? zoneOf(collection) : asked,
    fields: names.length === 0 ? null : names.map(timeField),
  };
}

function timeField(name: string): TimeField {
  const field = TIME_FIELDS.find((candidate) => candidate === name.toLowerCase());
  if (field !== undefined) return field;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `unsupported field for extraction: ${name}, fields should be separated by commas or blanks and in [${TIME_FIELDS.join(' ')}]`,
  );
}
