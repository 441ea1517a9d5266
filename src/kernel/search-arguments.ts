import { checkSearch } from './check-search.ts';
import type { KernelSearch } from './kernel.ts';
import { metricCode } from './metric-codes.ts';
import type { NativeSearch } from './native-binding.ts';
import { float32Values, handleOf } from './native-sources.ts';

/** A search as the addon takes it. Errors as `checkSearch`. */
export function searchArguments(search: KernelSearch): NativeSearch {
  const checked = checkSearch(search);
  return {
    ...checked,
    sources: search.sources.map(({ data, rowCount, allowed }) => ({
      handle: handleOf(data),
      rowCount,
      allowed,
    })),
    metric: metricCode(search.metric),
    dim: search.dim,
    queries: float32Values(search, search.queries),
    queryCount: search.queryCount,
    k: search.k,
  };
}
