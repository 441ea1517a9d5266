import { compileFilter, parseFilter, type FilterPlan } from '../../filter/index.ts';
import type { FilterText } from '../../protocol/reader-api.ts';
import type { CollectionSchema } from '../../schema/index.ts';

/** The plans of requests under way: a request has a filter object of its own, and needs its plan in several places. */
const plans = new WeakMap<FilterText, { readonly schema: CollectionSchema; readonly plan: FilterPlan }>();

/** The filter bound to the schema; done once for a request. `FILTER_INVALID` as `compileFilter`. */
export function compiledFilter(filter: FilterText, schema: CollectionSchema): FilterPlan {
  const known = plans.get(filter);
  if (known?.schema === schema) return known.plan;
  const plan = compileFilter(parseFilter(filter.text), schema, filter.values);
  plans.set(filter, { schema, plan });
  return plan;
}
