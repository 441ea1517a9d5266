import { checkSearch } from './check-search.ts';
import type { KernelSearch } from './kernel.ts';
import { formatCode, metricCode } from './metric-codes.ts';
import type { NativeSearch } from './native-binding.ts';
import { handleOf } from './native-sources.ts';

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
    format: formatCode(search.format),
    dim: search.dim,
    bm25: search.bm25 ?? null,
    queries: search.queries,
    queryCount: search.queryCount,
    k: search.k,
  };
}
