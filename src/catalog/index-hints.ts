import type { IndexMeta } from './model.ts';

/** Parameters that say how an index is kept, not how it is built: Milvus's storage hints, shown again but without effect. */
export const INDEX_HINTS: ReadonlySet<string> = new Set([
  'mmap.enabled',
  'indexoffsetcache.enabled',
  'warmup',
]);

/** What an index is built with. */
export function buildParams(index: Pick<IndexMeta, 'params'>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(index.params).filter(([key]) => !INDEX_HINTS.has(key)));
}
