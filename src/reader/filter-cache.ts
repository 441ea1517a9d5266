import { WeightedCache } from './weighted-cache.ts';
import type { CollectionMeta } from '../catalog/model.ts';
import { keysFromValues, sortedRows, takeColumn, type PrimaryKeyColumn } from '../columns/index.ts';
import { compileFilter, fieldsOf, parseFilter, primaryKeysOf, type FilterPlan } from '../filter/index.ts';
import type { FilterText } from '../protocol/reader-api.ts';
import { primaryKeyField, type FieldSchema } from '../schema/index.ts';

/** A filter bound to the schema of a collection. */
export interface BoundFilter {
  /** Unique in this process, so that results can be kept under it. */
  readonly id: number;
  readonly plan: FilterPlan;
  readonly fields: readonly FieldSchema[];
  /** The keys, ascending, when the filter asks for keys and nothing else; else null. */
  readonly keys: PrimaryKeyColumn | null;
}

/** Parses and binds filters, keeping those used last. */
export class FilterCache {
  readonly #cache: WeightedCache<BoundFilter>;
  #count = 0;

  constructor(filtersMax: number) {
    this.#cache = new WeightedCache(filtersMax);
  }

  /** `FILTER_INVALID` when it does not parse or does not fit the schema. */
  bind(filter: FilterText, collection: CollectionMeta): BoundFilter {
    const { id, schema, schemaVersion } = collection;
    const cacheKey = JSON.stringify([id, schemaVersion, filter.text, filter.values]);
    const cached = this.#cache.get(cacheKey);
    if (cached !== undefined) return cached;
    const plan = compileFilter(parseFilter(filter.text), schema, filter.values);
    const wanted = new Set(fieldsOf(plan));
    const keys = primaryKeysOf(plan, schema);
    const keyType = primaryKeyField(schema).type as PrimaryKeyColumn['type'];
    const bound: BoundFilter = {
      id: ++this.#count,
      plan,
      fields: schema.fields.filter((field) => wanted.has(field.id)),
      keys: keys === null ? null : ascending(keysFromValues(keyType, keys)),
    };
    this.#cache.set(cacheKey, bound, 1);
    return bound;
  }
}

function ascending(keys: PrimaryKeyColumn): PrimaryKeyColumn {
  return takeColumn(keys, sortedRows(keys, new BigUint64Array(keys.length))) as PrimaryKeyColumn;
}
