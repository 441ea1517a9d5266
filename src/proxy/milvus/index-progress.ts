import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, IndexMeta, SegmentMeta } from '../../catalog/model.ts';
import { isScalarIndexWithFiles } from '../../catalog/scalar-index.ts';
import { indexTypeSpec } from '../../kernel/index-types.ts';

/** Rows in segments, as Milvus counts: fresh rows have no index yet and are left out. */
export interface IndexProgress {
  readonly indexedRows: number;
  readonly totalRows: number;
  readonly pendingRows: number;
}

/** An index without a file (FLAT) is ready at once, and small segments are searched exactly: both count as indexed. */
export function indexProgress(
  snapshot: CatalogSnapshot,
  collection: CollectionMeta,
  index: IndexMeta,
  indexRowsMin: number,
): IndexProgress {
  const needsFile =
    indexTypeSpec(index.type) !== undefined || isScalarIndexWithFiles(index, collection.schema);
  let totalRows = 0;
  let pendingRows = 0;
  for (const segment of snapshot.segmentsOf(collection.id)) {
    totalRows += segment.rowCount;
    const isReady =
      !needsFile ||
      segment.rowCount < indexRowsMin ||
      isOlderThan(segment, index) ||
      segment.indexes.some((file) => file.indexId === index.id);
    if (!isReady) pendingRows += segment.rowCount;
  }
  return { totalRows, indexedRows: totalRows - pendingRows, pendingRows };
}

/** A segment from before the field of a vector index has no vectors to index. */
function isOlderThan(segment: SegmentMeta, { metric, fieldId }: IndexMeta): boolean {
  return metric !== null && !segment.vectors.some((file) => file.fieldId === fieldId);
}
