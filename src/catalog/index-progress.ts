import type { IndexMeta, SegmentMeta } from './model.ts';

/** Rows of sealed segments by whether the index serves them. */
export interface IndexProgress {
  readonly totalRows: number;
  readonly indexedRows: number;
  readonly pendingRows: number;
}

/**
 * How far an index has got, from the catalog alone. Segments below `rowsMin` rows are searched exactly and count as
 * indexed, as do all segments for an index that needs no file (`fileTypes` names the types that do).
 */
export function indexProgress(
  segments: readonly SegmentMeta[],
  index: IndexMeta,
  options: { readonly rowsMin: number; readonly fileTypes: readonly string[] },
): IndexProgress {
  const needsFile = options.fileTypes.includes(index.type);
  let totalRows = 0;
  let pendingRows = 0;
  for (const segment of segments) {
    totalRows += segment.rowCount;
    const isServed =
      !needsFile ||
      segment.rowCount < options.rowsMin ||
      segment.indexes.some((file) => file.indexId === index.id) ||
      !segment.vectors.some((file) => file.fieldId === index.fieldId);
    if (!isServed) pendingRows += segment.rowCount;
  }
  return { totalRows, indexedRows: totalRows - pendingRows, pendingRows };
}
