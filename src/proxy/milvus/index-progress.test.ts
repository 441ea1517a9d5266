import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexProgress } from './index-progress.ts';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { CollectionMeta, IndexMeta } from '../../catalog/model.ts';

test('rows wait for an index only in large segments without its file', () => {
  const segments = [
    { rowCount: 100, indexes: [] },
    { rowCount: 1_000, indexes: [{ indexId: '7' }] },
    { rowCount: 2_000, indexes: [{ indexId: '8' }] },
  ];
  const snapshot = { segmentsOf: () => segments } as unknown as CatalogSnapshot;
  const progress = (type: string): object =>
    indexProgress(snapshot, { id: '1' } as CollectionMeta, { id: '7', type } as IndexMeta, 1_000);
  assert.deepEqual(progress('HNSW'), { totalRows: 3_100, indexedRows: 1_100, pendingRows: 2_000 });
  assert.deepEqual(progress('FLAT'), { totalRows: 3_100, indexedRows: 3_100, pendingRows: 0 });
});
