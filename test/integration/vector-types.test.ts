import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { refused, succeeded } from '../support/milvus.ts';
import { TestCluster } from '../support/test-cluster.ts';
import {
  bestScores,
  VECTOR_KINDS,
  vectorRows,
  type ClientVector,
  type VectorKind,
  type VectorRow,
} from '../support/vector-model.ts';

const NAME = 'vectors';
const HITS = 10;

async function create(client: MilvusClient, kinds: readonly VectorKind[]): Promise<void> {
  succeeded(
    await client.createCollection({
      collection_name: NAME,
      shards_num: 2,
      consistency_level: 'Strong',
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true },
        ...(kinds.map(({ field }) => field) as never[]),
      ],
    }),
  );
  for (const { name, index } of kinds) {
    succeeded(await client.createIndex({ collection_name: NAME, field_name: name, ...index } as never));
  }
  succeeded(await client.loadCollectionSync({ collection_name: NAME }));
}

/** Every field finds what it must, and shows what was stored. */
async function check(
  client: MilvusClient,
  kinds: readonly VectorKind[],
  rows: readonly VectorRow[],
  when: string,
): Promise<void> {
  const byId = new Map(rows.map((row) => [String(row.id), row]));
  const stored = succeeded(
    await client.query({ collection_name: NAME, filter: 'id >= 0', output_fields: ['*'] }),
  );
  assert.equal(stored.data.length, rows.length, when);
  for (const { id, ...vectors } of stored.data) {
    const { id: _, ...wanted } = byId.get(String(id))!;
    assert.deepEqual(vectors, wanted, `${when}, row ${id}`);
  }
  for (const kind of kinds) {
    for (const { [kind.name]: query } of vectorRows(kinds, 3, 1_000_000)) {
      const answer = succeeded(
        await client.search({
          collection_name: NAME,
          anns_field: kind.name,
          data: query as never,
          limit: HITS,
          // Enough for a graph to see every row.
          params: { ef: 1_000 },
          output_fields: ['id', kind.name],
        }),
      );
      const label = `${when}, ${kind.name}`;
      const scores = answer.results.map(({ score }) => score);
      assert.deepEqual(scores, bestScores(kind, rows, query as ClientVector, HITS), label);
      for (const hit of answer.results) {
        const vector = byId.get(String(hit.id))![kind.name] as ClientVector;
        assert.deepEqual(hit[kind.name], vector, label);
        assert.equal(kind.score(query as ClientVector, vector), hit.score, label);
      }
    }
  }
}

test('vectors of every type are stored, found, changed, deleted and found again after restarts', async () => {
  await using cluster = await TestCluster.start({ settings: ['writer.index_rows_min=100'] });
  const client = await cluster.client();
  const kinds = VECTOR_KINDS;
  await create(client, kinds);
  let rows = vectorRows(kinds, 500);
  succeeded(await client.insert({ collection_name: NAME, data: rows as never }));
  await check(client, kinds, rows, 'fresh');

  succeeded(await client.flushSync({ collection_names: [NAME] }));
  await check(client, kinds, rows, 'flushed');

  const changed = vectorRows(kinds, 50, 100, 2);
  succeeded(await client.upsert({ collection_name: NAME, data: changed as never }));
  succeeded(await client.delete({ collection_name: NAME, filter: 'id >= 300 and id < 330' }));
  rows = rows
    .map((row) => changed.find(({ id }) => id === row.id) ?? row)
    .filter(({ id }) => id < 300 || id >= 330);
  await check(client, kinds, rows, 'changed');

  for (const id of ['reader-1', 'reader-2', 'writer-1']) await cluster.stopNode(id);
  await cluster.startNode('writer', 1);
  for (const index of [1, 2]) await cluster.startNode('reader', index);
  await check(client, kinds, rows, 'restarted');

  succeeded(await client.flushSync({ collection_names: [NAME] }));
  await check(client, kinds, rows, 'flushed again');
});

test('searches by key, within a range and page by page follow the metric', async () => {
  await using cluster = await TestCluster.start({ readers: 1 });
  const client = await cluster.client();
  const kinds = VECTOR_KINDS;
  await create(client, kinds);
  const rows = vectorRows(kinds, 300);
  succeeded(await client.insert({ collection_name: NAME, data: rows as never }));
  for (const kind of kinds) {
    const query = rows[7]![kind.name] as ClientVector;
    const all = bestScores(kind, rows, query, rows.length);
    const search = { collection_name: NAME, anns_field: kind.name, limit: HITS };
    const byKey = succeeded(await client.search({ ...search, ids: [7] } as never));
    assert.deepEqual(
      byKey.results.map(({ score }) => score),
      all.slice(0, HITS),
      kind.name,
    );

    const [from, to] = [all[5]!, all[40]!];
    const inside = (score: number): boolean =>
      kind.smallerIsCloser ? score >= from && score < to : score <= from && score > to;
    const ring = succeeded(
      await client.search({
        ...search,
        data: query as never,
        limit: 300,
        params: { radius: to, range_filter: from },
      }),
    );
    assert.deepEqual(
      ring.results.map(({ score }) => score),
      all.filter(inside),
      kind.name,
    );

    const pages = await client.searchIterator({
      ...search,
      data: query as never,
      batchSize: 64,
      limit: 200,
    } as never);
    const walked: number[] = [];
    for await (const page of pages) walked.push(...(page as { score: number }[]).map(({ score }) => score));
    assert.deepEqual(walked, all.slice(0, 200), kind.name);
  }
});

test('vectors may be null where the field says so', async () => {
  await using cluster = await TestCluster.start({ readers: 1 });
  const client = await cluster.client();
  const kinds = VECTOR_KINDS.map((kind) => ({ ...kind, field: { ...kind.field, nullable: true } }));
  await create(client, kinds);
  const whole = vectorRows(kinds, 60);
  const rows = whole.map((row) => {
    const { id, ...vectors } = row;
    const names = Object.keys(vectors);
    return {
      id,
      ...Object.fromEntries(names.map((name, at) => [name, (id + at) % 3 === 0 ? null : row[name]])),
    };
  }) as unknown as VectorRow[];
  succeeded(await client.insert({ collection_name: NAME, data: rows as never }));
  const checkAll = async (when: string): Promise<void> => {
    const stored = succeeded(
      await client.query({ collection_name: NAME, filter: 'id >= 0', output_fields: ['*'] }),
    );
    const ascending = stored.data.toSorted((a, b) => Number(a['id']) - Number(b['id']));
    assert.deepEqual(
      ascending.map((row) => ({ ...row, id: Number(row['id']) })),
      rows,
      when,
    );
    for (const kind of kinds) {
      const present = rows.filter((row) => row[kind.name] !== null);
      const query = present[0]![kind.name] as ClientVector;
      const answer = succeeded(
        await client.search({
          collection_name: NAME,
          anns_field: kind.name,
          data: query as never,
          limit: 100,
        }),
      );
      assert.deepEqual(
        answer.results.map(({ score }) => score),
        bestScores(kind, present, query, 100),
        `${when}, ${kind.name}`,
      );
    }
  };
  await checkAll('fresh');
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  await checkAll('flushed');
  const without = rows.find((row) => row['floats'] === null)!;
  await refused(
    client.search({ collection_name: NAME, anns_field: 'floats', ids: [without.id], limit: 1 } as never),
    1100,
    /vector field floats is null in rows to search by/,
  );
});

test('a hybrid search ranks what its searches find', async () => {
  await using cluster = await TestCluster.start();
  const client = await cluster.client();
  const kinds = VECTOR_KINDS.filter(({ name }) => name === 'floats' || name === 'words' || name === 'bits');
  await create(client, kinds);
  const rows = vectorRows(kinds, 200);
  succeeded(await client.insert({ collection_name: NAME, data: rows.slice(0, 120) as never }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.insert({ collection_name: NAME, data: rows.slice(120) as never }));
  const query = vectorRows(kinds, 1, 1_000_000)[0]!;
  const searches = kinds.map(({ name }) => ({ anns_field: name, data: query[name], limit: 50 }));
  const gains = new Map<string, number>();
  for (const search of searches) {
    const found = succeeded(await client.search({ collection_name: NAME, ...search } as never));
    found.results.forEach(({ id }, rank) =>
      gains.set(String(id), (gains.get(String(id)) ?? 0) + 1 / (60 + rank + 1)),
    );
  }
  const best = [...gains.values()].sort((a, b) => b - a);
  const answer = succeeded(
    await client.hybridSearch({
      collection_name: NAME,
      data: searches,
      limit: HITS,
      offset: 2,
      output_fields: ['id', 'floats'],
    } as never),
  );
  const results = answer.results as { id: string; score: number; floats: number[] }[];
  assert.equal(results.length, HITS);
  results.forEach(({ id, score, floats }, index) => {
    assert.ok(Math.abs(score - best[index + 2]!) < 1e-6, `hit ${index} has ${score}`);
    assert.ok(Math.abs(score - gains.get(String(id))!) < 1e-6, `row ${id} has ${score}`);
    assert.deepEqual(floats, rows[Number(id)]!['floats']);
  });
});

test('rows from before a vector field was added have null there', async () => {
  await using cluster = await TestCluster.start({ settings: ['writer.index_rows_min=1'] });
  const client = await cluster.client();
  const [old, ...added] = VECTOR_KINDS;
  await create(client, [old!]);
  const rows = vectorRows(VECTOR_KINDS, 90);
  const oldRows = rows.slice(0, 60).map((row) => ({ id: row.id, [old!.name]: row[old!.name] }));
  succeeded(await client.insert({ collection_name: NAME, data: oldRows.slice(0, 30) as never }));
  succeeded(await client.flushSync({ collection_names: [NAME] }));
  succeeded(await client.insert({ collection_name: NAME, data: oldRows.slice(30) as never }));
  for (const { field, name, index } of added) {
    succeeded(
      await client.addCollectionField({
        collection_name: NAME,
        field: { ...field, nullable: true } as never,
      }),
    );
    succeeded(await client.createIndex({ collection_name: NAME, field_name: name, ...index } as never));
  }
  succeeded(await client.insert({ collection_name: NAME, data: rows.slice(60) as never }));
  for (const when of ['fresh', 'flushed']) {
    const stored = await client.query({
      collection_name: NAME,
      filter: 'id in [5, 45, 75]',
      output_fields: ['*'],
    });
    const byId = new Map(succeeded(stored).data.map((row) => [Number(row['id']), row]));
    for (const { name } of added) {
      assert.equal(byId.get(5)![name], null, `${when}, ${name}`);
      assert.equal(byId.get(45)![name], null, `${when}, ${name}`);
      assert.deepEqual(byId.get(75)![name], rows[75]![name], `${when}, ${name}`);
    }
    for (const kind of added) {
      const query = rows[3]![kind.name] as ClientVector;
      const answer = await client.search({
        collection_name: NAME,
        anns_field: kind.name,
        data: query as never,
        limit: 50,
        params: { ef: 1_000 },
      });
      assert.deepEqual(
        succeeded(answer).results.map(({ score }) => score),
        bestScores(kind, rows.slice(60), query, 50),
        `${when}, ${kind.name}`,
      );
    }
    succeeded(await client.flushSync({ collection_names: [NAME] }));
  }
});
