import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestAttributes } from './request-attributes.ts';
import { InsertRequest, SearchRequest } from '../translate/generated/milvus.js';

test('a span says what a request is about, not what is in it', () => {
  const insert = InsertRequest.decode(
    InsertRequest.encode({
      dbName: 'd',
      collectionName: 'c',
      numRows: 3,
      fieldsData: [{ fieldName: 'secret' }],
    }),
  );
  assert.deepEqual(requestAttributes(insert), {
    'db.namespace': 'd',
    'db.collection.name': 'c',
    'mishards.rows': 3,
  });
  const search = SearchRequest.decode(
    SearchRequest.encode({ collectionName: 'c', nq: 2n, dsl: 'name == "x"' }),
  );
  assert.deepEqual(requestAttributes(search), { 'db.collection.name': 'c', 'mishards.queries': 2 });
});
