import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, IndexMeta } from '../../catalog/model.ts';

/** Rows in segments, as Milvus counts: fresh rows have no index yet and are left out. */
export interface IndexProgress {
  readonly indexedRows: number;
  readonly totalRows: number;
}

/** FLAT needs no file, and small segments are searched exactly: both count as indexed. */
export function indexProgress(
  snapshot: CatalogSnapshot,
  collection: CollectionMeta,
  index: IndexMeta,
  indexRowsMin: number,
): IndexProgress {
  let indexedRows = 0;
  let totalRows = 0;
  for (const segment of snapshot.segmentsOf(collection.id)) {
    totalRows += segment.rowCount;
    const isReady =
      index.type === 'FLAT' ||
      segment.rowCount < indexRowsMin ||
      segment.indexes.some((file) => file.indexId === index.id);
    if (isReady) indexedRows += segment.rowCount;
  }
  return { indexedRows, totalRows };
}
