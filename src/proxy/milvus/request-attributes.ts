import type { SpanAttributes } from '../../telemetry/tracing.ts';

const NAMED: readonly (readonly [field: string, attribute: string])[] = [
  ['dbName', 'db.namespace'],
  ['collectionName', 'db.collection.name'],
  ['partitionName', 'mishards.partition'],
  ['fieldName', 'mishards.field'],
  ['indexName', 'mishards.index'],
  ['numRows', 'mishards.rows'],
  ['nq', 'mishards.queries'],
];

/** What a request is about, for its span: names and sizes, never data. */
export function requestAttributes(request: object): SpanAttributes {
  const attributes: SpanAttributes = {};
  for (const [field, attribute] of NAMED) {
    const value: unknown = Reflect.get(request, field);
    if (typeof value === 'string' && value !== '') attributes[attribute] = value;
    else if (typeof value === 'number' || typeof value === 'bigint') attributes[attribute] = Number(value);
  }
  return attributes;
}
