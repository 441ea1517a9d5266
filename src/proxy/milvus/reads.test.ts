import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ConsistencyLevelEnum, DataType } from '@zilliz/milvus2-sdk-node';
import { valuesOf } from '../../columns/index.ts';
import type { QueryCommand, SearchCommand } from '../proxy-core.ts';
import { startTestFront, type TestFront } from '../../../test/support/front.ts';
import { refused, succeeded } from '../../../test/support/milvus.ts';

let front: TestFront;
before(async () => {
  front = await startTestFront();
  await front.client.connectPromise;
  for (const metric of ['L2', 'IP', 'COSINE']) await createPoints(metric);
});
after(() => front[Symbol.asyncDispose]());

/** Ten rows on a line: vector [id, 1]. */
async function createPoints(metric: string): Promise<void> {
  const { client } = front;
  const fields = [
    { name: 'id', data_type: DataType.Int64, is_primary_key: true },
    { name: 'vector', data_type: DataType.FloatVector, dim: 2 },
    { name: 'tag', data_type: DataType.VarChar, max_length: 8 },
  ];
  succeeded(await client.createCollection({ collection_name: metric, fields }));
  succeeded(
    await client.createIndex({
      collection_name: metric,
      field_name: 'vector',
      metric_type: metric,
      index_type: 'HNSW',
    }),
  );
  succeeded(await client.loadCollectionAsync({ collection_name: metric }));
  const data = Array.from({ length: 10 }, (_, id) => ({
    id,
    vector: [id, 1],
    tag: id % 2 === 0 ? 'even' : 'odd',
  }));
  succeeded(await client.insert({ collection_name: metric, data }));
}

type Hit = { readonly id: string; readonly score: number };

async function hits(collection: string, more: object): Promise<Hit[]> {
  const request = { collection_name: collection, data: [3, 1], limit: 3, output_fields: ['id'], ...more };
  const answer = succeeded(await front.client.search(request));
  return answer.results.map(({ id, score }) => ({ id: String(id), score }));
}

describe('search', () => {
  test('shows scores as Milvus does', async () => {
    assert.deepEqual(await hits('L2', { limit: 3 }), [
      { id: '3', score: 0 },
      { id: '2', score: 1 },
      { id: '4', score: 1 },
    ]);
    assert.deepEqual(await hits('IP', { limit: 2 }), [
      { id: '9', score: 28 },
      { id: '8', score: 25 },
    ]);
    const [best] = await hits('COSINE', { limit: 1 });
    assert.equal(best!.id, '3');
    assert.ok(Math.abs(best!.score - 1) < 1e-6);
  });

  test('hands limit, offset, filter and index parameters to the core', async () => {
    const found = await hits('L2', {
      limit: 2,
      offset: 1,
      filter: 'tag == "odd"',
      params: { ef: 64, nprobe: 8 },
    });
    assert.deepEqual(
      found.map(({ id }) => id),
      ['1', '5'],
    );
    const command = front.core.last<SearchCommand>('search');
    assert.equal(command.limit, 2);
    assert.equal(command.offset, 1);
    // What another type of index would read is passed over, as in Milvus.
    assert.deepEqual(command.params, { ef: 64 });
    assert.deepEqual(command.filter, { text: 'tag == "odd"', values: {} });
    assert.equal(command.metric, 'L2');
    assert.deepEqual(valuesOf(command.queries), [Float32Array.of(3, 1)]);
  });

  test('answers several queries at once', async () => {
    const answer = succeeded(
      await front.client.search({
        collection_name: 'L2',
        data: [
          [0, 1],
          [9, 1],
          [5, 1],
        ],
        limit: 1,
        output_fields: ['tag'],
      }),
    );
    assert.deepEqual(
      (answer.results as unknown as { tag: string; score: number }[][]).map((one) =>
        one.map(({ tag }) => tag),
      ),
      [['even'], ['odd'], ['odd']],
    );
  });

  test('keeps to the bounds of a range search', async () => {
    const ids = async (collection: string, params: object): Promise<string[]> =>
      (await hits(collection, { limit: 10, params })).map(({ id }) => id);
    // For distances: from range_filter (included) to radius (not).
    assert.deepEqual(await ids('L2', { radius: 4 }), ['3', '2', '4']);
    assert.deepEqual(await ids('L2', { radius: 5, range_filter: 1 }), ['2', '4', '1', '5']);
    // For similarities: from radius (not included) to range_filter.
    assert.deepEqual(await ids('IP', { radius: 22 }), ['9', '8']);
    assert.deepEqual(await ids('IP', { radius: 16, range_filter: 22 }), ['7', '6']);
    const search = (params: object): Promise<object> =>
      front.client.search({ collection_name: 'L2', data: [3, 1], limit: 3, params } as never);
    await refused(
      search({ radius: 1, range_filter: 2 }),
      1100,
      /range_filter\(2\) should be less than radius\(1\)/,
    );
    await refused(search({ range_filter: 2 }), 1100, /range_filter needs radius/);
  });

  test('rounds scores where it is asked to', async () => {
    const { results } = await front.call('Search', {
      ...(await rawSearch([3.14159, 1])),
      searchParams: [
        { key: 'anns_field', value: 'vector' },
        { key: 'topk', value: '1' },
        { key: 'round_decimal', value: '2' },
      ],
    });
    assert.deepEqual([...results!.scores!], [Math.fround(0.02)]);
    assert.equal(results!.primaryFieldName, 'id');
    assert.equal(results!.topK, 1n);
  });

  test('takes the vectors of rows named by key', async () => {
    const search = (ids: readonly number[]): Promise<object> =>
      front.client.search({ collection_name: 'L2', ids, limit: 2, output_fields: ['id'] } as never);
    const answer = succeeded(await search([7, 0])) as { readonly results: readonly (readonly Hit[])[] };
    assert.deepEqual(
      answer.results.map((one) => one.map(({ id }) => id)),
      [
        ['7', '6'],
        ['0', '1'],
      ],
    );
    await refused(search([7, 70]), 1100, /missing IDs = \[70\]$/);
  });

  test('raises the ef of an iterator to what its page needs', async () => {
    const page = { search_iter_v2: true, search_iter_batch_size: 5 };
    assert.equal((await hits('L2', { params: { ...page, ef: 2 } })).length, 5);
    assert.equal(front.core.last<SearchCommand>('search').params['ef'], 5);
    const none = front.client.search({
      collection_name: 'L2',
      data: [3, 1],
      limit: 3,
      params: { ...page, ef: 0 },
    });
    await refused(none, 1100, /^ef\(0\) should be larger than k\(5\)$/);
  });

  test('passes over fresh rows where it is asked to, and so does a query', async () => {
    await hits('L2', {});
    assert.equal(front.core.last<SearchCommand>('search').ignoresFresh, false);
    await hits('L2', { ignore_growing: true });
    assert.equal(front.core.last<SearchCommand>('search').ignoresFresh, true);
    const queryParams = [{ key: 'ignore_growing', value: 'True' }];
    const { status } = await front.call('Query', { collectionName: 'L2', expr: 'id > 0', queryParams });
    assert.equal(status?.code ?? 0, 0);
    assert.equal(front.core.last<QueryCommand>('query').ignoresFresh, true);
  });

  test('walks through all hits with an iterator, equal scores included', async () => {
    for (const batchSize of [1, 2, 3, 4, 9, 20]) {
      const iterator = await front.client.searchIterator({
        collection_name: 'L2',
        data: [5, 1],
        batchSize,
        output_fields: ['id'],
      } as never);
      const seen: string[] = [];
      for await (const batch of iterator) seen.push(...(batch as Hit[]).map(({ id }) => String(id)));
      assert.deepEqual(seen, ['5', '4', '6', '3', '7', '2', '8', '1', '9', '0'], `by ${batchSize}`);
    }
    const broken = {
      search_iter_v2: true,
      search_iter_batch_size: 2,
      search_iter_last_bound: 1,
      search_iter_id: 'x',
    };
    const request = { collection_name: 'L2', data: [5, 1], limit: 2, params: broken };
    await refused(front.client.search(request), 1100, /token \[x\] is not one this server gave/);
  });

  test('refuses what it cannot do, by name', async () => {
    const search = (more: object): Promise<object> =>
      front.client.search({ collection_name: 'L2', data: [3, 1], limit: 3, ...more } as never);
    await refused(
      search({ data: [1, 2, 3] }),
      1100,
      /vector dimension mismatch of field vector, expected vector size\(byte\) 8, actual 12/,
    );
    await refused(search({ limit: 0 }), 1100, /topk \[0\] is invalid, it should be in range \[1, 16384\]/);
    await refused(search({ limit: 16_385 }), 1100, /topk \[16385\] is invalid/);
    await refused(search({ limit: 10_000, offset: 10_000 }), 1100, /offset\+topk \[20000\] is invalid/);
    await refused(
      search({ metric_type: 'IP' }),
      1100,
      /metric type not match: invalid parameter\[expected=L2\]\[actual=IP\]/,
    );
    await refused(search({ params: { ef: 2 } }), 1100, /ef\(2\) should be larger than k\(3\)/);
    await refused(search({ filter: 'tag ==' }), 1100, /^failed to create query plan: /);
    await refused(search({ filter: 'nope == 1' }), 1100, /nope/);
    await refused(search({ output_fields: ['nope'] }), 1700, /^field nope not exist$/);
    await refused(search({ group_by_field: 'nope' }), 1700, /^field nope not exist$/);
    await refused(search({ group_by_field: 'tag', group_size: 101 }), 1100, /group_size \[101\] is invalid/);
    await refused(search({ order_by_fields: 'vector' }), 1100, /results can be ordered by/);
    for (const name of ['nope', 'no-such.name', '']) {
      await refused(search({ partition_names: [name] }), 200, /^partition not found\[partition=/);
    }
    succeeded(await front.client.releaseCollection({ collection_name: 'COSINE' }));
    await refused(search({ collection_name: 'COSINE' }), 101, /^collection not loaded\[collection=COSINE\]$/);
    succeeded(await front.client.loadCollectionAsync({ collection_name: 'COSINE' }));
  });
});

async function rawSearch(vector: readonly number[]): Promise<object> {
  const { PlaceholderGroup } = await import('../translate/generated/milvus.js');
  const values = [Buffer.from(Float32Array.from(vector).buffer)];
  const placeholderGroup = PlaceholderGroup.encode({ placeholders: [{ tag: '$0', type: 101, values }] });
  return { collectionName: 'L2', placeholderGroup, nq: 1n };
}

describe('query', () => {
  test('gives rows by key, page by page', async () => {
    const page = async (more: object): Promise<unknown[]> => {
      const request = { collection_name: 'L2', filter: 'id >= 0', output_fields: ['id'], ...more };
      return succeeded(await front.client.query(request)).data.map((row) => row['id']);
    };
    assert.deepEqual(await page({ limit: 3 }), ['0', '1', '2']);
    assert.deepEqual(await page({ limit: 3, offset: 8 }), ['8', '9']);
    assert.deepEqual(await page({ filter: 'tag == {t}', exprValues: { t: 'odd' } }), [
      '1',
      '3',
      '5',
      '7',
      '9',
    ]);
    assert.deepEqual(await page({ filter: 'id in {ids}', exprValues: { ids: [2, 4] } }), ['2', '4']);
    assert.deepEqual(await page({ filter: '', ids: [7, 8] }), ['7', '8']);
    assert.deepEqual(await page({ filter: '', limit: 2 }), ['0', '1']);
  });

  test('counts', async () => {
    const count = await front.client.count({ collection_name: 'L2', expr: 'tag == "odd"' });
    assert.equal(succeeded(count).data, 5);
    assert.equal(front.core.last<QueryCommand>('query').countOnly, true);
  });

  test('walks through all rows with an iterator', async () => {
    const iterator = await front.client.queryIterator({
      collection_name: 'L2',
      batchSize: 4,
      expr: 'id > 0',
      output_fields: ['id'],
    });
    const seen: unknown[] = [];
    for await (const batch of iterator) seen.push(...(batch as { id: string }[]).map(({ id }) => id));
    assert.deepEqual(seen, ['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  test('refuses what it cannot do, by name', async () => {
    const query = (more: object): Promise<object> =>
      front.client.query({ collection_name: 'L2', filter: 'id > 0', ...more } as never);
    await refused(query({ filter: '' }), 1100, /^empty expression should be used with limit$/);
    await refused(
      query({ limit: 16_385 }),
      1100,
      /\(offset\+limit\) should be in range \[1, 16384\], but got 16385/,
    );
    await refused(query({ output_fields: ['count(*)'], limit: 2 }), 1100, /pagination is not allowed/);
    await refused(query({ output_fields: ['max(id)'] }), 10, /^aggregation max\(id\) is not supported yet/);
    await refused(query({ filter: 'id ~ 3' }), 1100, /^failed to create query plan: /);
  });
});

describe('consistency', () => {
  const levelOf = async (more: object): Promise<readonly [string, bigint]> => {
    await front.call('Query', { collectionName: 'L2', expr: 'id == 1', ...more });
    const { consistency, guaranteeTimestamp } = front.core.last<QueryCommand>('query');
    return [consistency, guaranteeTimestamp];
  };

  test('comes from the request, or from the collection', async () => {
    assert.deepEqual(await levelOf({ consistencyLevel: ConsistencyLevelEnum.Strong }), ['Strong', 0n]);
    assert.deepEqual(await levelOf({ consistencyLevel: ConsistencyLevelEnum.Eventually }), [
      'Eventually',
      0n,
    ]);
    assert.deepEqual(await levelOf({ useDefaultConsistency: true }), ['Bounded', 0n]);
    const session = { consistencyLevel: ConsistencyLevelEnum.Session, guaranteeTimestamp: 99n };
    assert.deepEqual(await levelOf(session), ['Session', 99n]);
    const customized = { consistencyLevel: ConsistencyLevelEnum.Customized, guaranteeTimestamp: 99n };
    assert.deepEqual(await levelOf(customized), ['Eventually', 99n]);
  });

  test('of old clients is a guarantee timestamp', async () => {
    assert.deepEqual(await levelOf({ guaranteeTimestamp: 1n }), ['Eventually', 0n]);
    assert.deepEqual(await levelOf({ guaranteeTimestamp: 2n }), ['Bounded', 0n]);
    assert.deepEqual(await levelOf({ guaranteeTimestamp: 77n }), ['Eventually', 77n]);
  });
});
