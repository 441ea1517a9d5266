import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexProgress } from './index-progress.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, IndexMeta } from '../../catalog/model.ts';

test('rows wait for an index only in large segments without its file', () => {
  const segments = [
    { rowCount: 100, indexes: [], vectors: [{ fieldId: 101 }] },
    { rowCount: 1_000, indexes: [{ indexId: '7' }], vectors: [{ fieldId: 101 }] },
    { rowCount: 2_000, indexes: [{ indexId: '8' }], vectors: [{ fieldId: 101 }] },
    // From before the field was added.
    { rowCount: 4_000, indexes: [], vectors: [{ fieldId: 102 }] },
  ];
  const snapshot = { segmentsOf: () => segments } as unknown as CatalogSnapshot;
  const progress = (type: string): object =>
    indexProgress(
      snapshot,
      { id: '1' } as CollectionMeta,
      { id: '7', type, fieldId: 101, metric: 'L2' } as IndexMeta,
      1_000,
    );
  assert.deepEqual(progress('HNSW'), { totalRows: 7_100, indexedRows: 5_100, pendingRows: 2_000 });
  assert.deepEqual(progress('FLAT'), { totalRows: 7_100, indexedRows: 7_100, pendingRows: 0 });
});
