import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnFromValues, keysFromValues, valuesOf, type Column } from '../columns/index.ts';
import { isErrorWithCode, type ErrorCode } from '../errors/index.ts';
import type { InsertRequest } from '../protocol/writer-api.ts';
import type { CollectionId, PartitionId } from '../schema/index.ts';
import { readBack } from '../../test/support/read-back.ts';
import { fieldOf } from '../../test/support/random-rows.ts';
import { vectorSchema } from '../../test/support/schemas.ts';
import { CALL, WriterCluster, insertOf } from '../../test/support/writer-cluster.ts';

test('a row goes to the channel of its key; the answer has keys, one timestamp and the positions', async () => {
  await using cluster = new WriterCluster();
  const { writer, ...process } = await cluster.startActive('w');
  const collection = await cluster.createCollection({ writer, ...process }, 'c', { shardsNum: 3 });
  const values = Array.from({ length: 30 }, (_, index) => index);
  const keys = values.map(BigInt);
  const result = await cluster.settle(writer.api.insert(insertOf(collection, keys, values), CALL));
  assert.deepEqual(valuesOf(result.keys), keys);
  assert.deepEqual([...result.positions.keys()].sort(), [...collection.channels].sort());
  assert.deepEqual([...result.positions.values()], [1, 1, 1]);
  const positions = await cluster.settle(writer.api.positions(collection.id, CALL));
  assert.deepEqual(new Map(positions), new Map(result.positions));
  const { rows } = await readBack(cluster, collection.id);
  assert.equal(rows.size, 30);
  for (const row of rows.values()) {
    assert.equal(row.value, Number(row.key));
    assert.equal(row.timestamp, result.timestamp);
  }
});

test('upsert replaces rows in whatever partition; delete removes older ones; newer ones stay', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const { api } = process.writer;
  const first = await cluster.createCollection(process, 'c', { shardsNum: 2 });
  const { revision } = await cluster.settle(
    api.execute({ kind: 'create-partition', collectionId: first.id, name: 'p' }, CALL),
  );
  await cluster.until(() => process.catalog.snapshot().revision >= revision);
  const collection = process.catalog.snapshot().collections.get(first.id)!;
  const [main, other] = collection.partitions.map((partition) => partition.id) as [PartitionId, PartitionId];
  await cluster.settle(api.insert(insertOf(collection, [1n, 2n, 3n, 4n], [1, 2, 3, 4]), CALL));
  await cluster.settle(api.upsert(insertOf(collection, [2n, 5n], [20, 50], other), CALL));
  const keys = (...values: bigint[]) => keysFromValues('Int64', values);
  const remove = (partitionId: PartitionId | null, ...values: bigint[]) =>
    cluster.settle(api.delete({ collectionId: collection.id, partitionId, keys: keys(...values) }, CALL));
  await remove(null, 3n);
  await remove(other, 1n);
  await remove(main, 4n, 5n);
  await cluster.settle(api.insert(insertOf(collection, [3n], [33]), CALL));
  const expected = [
    [1n, 1, main],
    [2n, 20, other],
    [3n, 33, main],
    [5n, 50, other],
  ];
  const check = async (): Promise<void> => {
    const { rows } = await readBack(cluster, collection.id);
    const found = [...rows.values()].map((row) => [row.key, row.value, row.partitionId]);
    assert.deepEqual(
      found.sort((a, b) => Number(a[0]) - Number(b[0])),
      expected,
    );
  };
  await check();
  await cluster.settle(api.flush([collection.id], CALL));
  await check();
});

test('of rows with the same key in one upsert the last counts; the answer has all keys', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  const request = insertOf(collection, [1n, 2n, 1n], [1, 2, 3]);
  const { keys } = await cluster.settle(process.writer.api.upsert(request, CALL));
  assert.deepEqual(valuesOf(keys), [1n, 2n, 1n]);
  const { rows } = await readBack(cluster, collection.id);
  assert.deepEqual(
    [...rows.values()].map(({ key, value }) => [key, value]),
    [
      [2n, 2],
      [1n, 3],
    ],
  );
});

for (const keyType of ['Int64', 'VarChar'] as const) {
  test(`automatic keys of type ${keyType} are unique and ascend, also over a restart`, async () => {
    await using cluster = new WriterCluster();
    const schema = vectorSchema({ dim: 2, keyType, autoId: true });
    const first = await cluster.startActive('a');
    const collection = await cluster.createCollection(first, 'c', { schema, shardsNum: 2 });
    const all: bigint[] = [];
    const insert = async (process: typeof first): Promise<void> => {
      const request = insertOf(collection, null, [1, 2, 3]);
      const { keys } = await cluster.settle(process.writer.api.insert(request, CALL));
      assert.equal(keys.type, keyType);
      all.push(...valuesOf(keys).map((key) => BigInt(key as string | bigint)));
    };
    await insert(first);
    await insert(first);
    await first.kill();
    const second = await cluster.startActive('a');
    await insert(second);
    assert.deepEqual(
      all,
      all.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    assert.equal(new Set(all).size, 9);
    assert.equal((await readBack(cluster, collection.id)).rows.size, 9);
    const upsert = second.writer.api.upsert(insertOf(collection, null, [1]), CALL);
    await assert.rejects(cluster.settle(upsert), {
      code: 'SCHEMA_MISMATCH',
      message: /field id has no column/,
    });
    const given = keyType === 'Int64' ? [7n] : ['7'];
    await cluster.settle(second.writer.api.upsert(insertOf(collection, given, [1]), CALL));
  });
}

test('W8: concurrent inserts are all kept, in the order of their timestamps', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c', { shardsNum: 2 });
  const results = await cluster.settle(
    Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        process.writer.api.insert(
          insertOf(collection, [BigInt(index), BigInt(index + 1_000)], [index, index]),
          CALL,
        ),
      ),
    ),
  );
  for (const channel of collection.channels) {
    const written = results.filter(({ positions }) => positions.has(channel));
    const ordered = written.toSorted((a, b) => a.positions.get(channel)! - b.positions.get(channel)!);
    assert.deepEqual(
      ordered.map(({ timestamp }) => timestamp),
      written.map(({ timestamp }) => timestamp).toSorted((a, b) => (a < b ? -1 : 1)),
    );
  }
  assert.equal((await readBack(cluster, collection.id)).rows.size, 400);
});

test('requests that do not fit the collection are refused whole', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const extra = fieldOf({ id: 102, name: 'extra', type: 'Int32' });
  const schema = vectorSchema({ dim: 2, fields: [extra] });
  const collection = await cluster.createCollection(process, 'c', { schema });
  const good = insertOf(collection, [1n], [1]);
  const numbers = columnFromValues(extra, [5]);
  const withColumns = (...changes: [number, Column | null][]): InsertRequest => {
    const columns = new Map([...good.rows.columns, [102, numbers]]);
    for (const [id, column] of changes) {
      if (column === null) columns.delete(id);
      else columns.set(id, column);
    }
    return { ...good, rows: { rowCount: 1, columns } };
  };
  const refused = async (request: InsertRequest, code: ErrorCode, message: RegExp): Promise<void> => {
    for (const call of ['insert', 'upsert'] as const) {
      await assert.rejects(cluster.settle(process.writer.api[call](request, CALL)), { code, message });
    }
  };
  const float = columnFromValues({ type: 'Float', elementType: null, dim: null }, [1]);
  const vector3 = columnFromValues({ type: 'FloatVector', elementType: null, dim: 3 }, [new Float32Array(3)]);
  await refused(good, 'SCHEMA_MISMATCH', /^field extra has no column$/);
  await refused(withColumns([102, float]), 'SCHEMA_MISMATCH', /field extra is Float, the field is Int32/);
  await refused(withColumns([101, vector3]), 'SCHEMA_MISMATCH', /FloatVector of dimension 3, .* dimension 2/);
  await refused(withColumns([103, numbers]), 'SCHEMA_MISMATCH', /has no field 103/);
  await refused(
    withColumns([102, columnFromValues(extra, [1, 2])]),
    'SCHEMA_MISMATCH',
    /has 2 rows, expected 1/,
  );
  await refused(withColumns([102, columnFromValues(extra, [null])]), 'SCHEMA_MISMATCH', /not nullable/);
  await refused(withColumns([100, null]), 'SCHEMA_MISMATCH', /^field id has no column$/);
  await refused({ ...withColumns(), schemaVersion: 2 }, 'SCHEMA_MISMATCH', /version 2 of the schema/);
  await refused({ ...withColumns(), partitionId: '999' as PartitionId }, 'PARTITION_NOT_FOUND', /=999\]/);
  await refused({ ...withColumns(), collectionId: '999' as CollectionId }, 'COLLECTION_NOT_FOUND', /=999\]/);
  await refused(
    { ...withColumns(), rows: { rowCount: 0, columns: new Map() } },
    'PARAMETER_INVALID',
    /no rows/,
  );
  const keys = keysFromValues('VarChar', ['a']);
  const deletion = process.writer.api.delete({ collectionId: collection.id, partitionId: null, keys }, CALL);
  await assert.rejects(cluster.settle(deletion), { code: 'SCHEMA_MISMATCH' });
  assert.deepEqual(
    [...(await cluster.settle(process.writer.api.positions(collection.id, CALL))).values()],
    [0],
  );
  await cluster.settle(process.writer.api.insert(withColumns(), CALL));
});

test('a collection can be written to as soon as its creation was answered', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  process.metastore.stop();
  await cluster.settle(process.writer.api.insert(insertOf(collection, [1n], [1]), CALL));
});

test('writes that would exceed the bytes under way are refused until others are durable', async () => {
  await using cluster = new WriterCluster({ writer: { inFlightBytesMax: 1_000 } });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  const gate = Promise.withResolvers<void>();
  process.log.gate = gate.promise;
  const insert = (key: bigint) => process.writer.api.insert(insertOf(collection, [key], [1]), CALL);
  const accepted = [insert(1n), insert(2n)];
  await cluster.host.timers.advance(10);
  const refused = Array.from({ length: 10 }, (_, index) => insert(BigInt(index + 10)));
  const outcomes = Promise.allSettled(refused);
  gate.resolve();
  await cluster.settle(Promise.all(accepted));
  const overloaded = (await cluster.settle(outcomes)).filter(
    (outcome) => outcome.status === 'rejected' && outcome.reason.code === 'OVERLOADED',
  );
  assert.ok(overloaded.length >= 5);
  await cluster.settle(insert(100n));
  assert.equal(process.writer.figures!.inFlightBytes, 0);
});

test('a write that the bounds of the log refuse is refused whole, and the writer goes on in its epoch', async () => {
  await using cluster = new WriterCluster({ log: 'local', logLimits: { waitingBytesMax: 10_000 } });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  const insert = (first: number) => {
    const values = Array.from({ length: 300 }, (_, index) => first + index);
    return process.writer.api.insert(insertOf(collection, values.map(BigInt), values), CALL);
  };
  const inserts = Array.from({ length: 6 }, (_, index) => insert(index * 1_000));
  const outcomes = await cluster.settle(Promise.allSettled(inserts));
  const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  assert.equal(refusals.length, 5);
  for (const error of refusals) assert.ok(isErrorWithCode(error, 'OVERLOADED'), String(error));
  await cluster.settle(insert(10_000));
  assert.equal(process.writer.figures!.epoch, 1);
  assert.equal((await readBack(cluster, collection.id)).rows.size, 600);
});

test('a write that only some channels took may have been written, and the writer goes on in its epoch', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c', { shardsNum: 2 });
  const keys = Array.from({ length: 20 }, (_, index) => BigInt(index));
  const insert = () =>
    cluster.settle(process.writer.api.insert(insertOf(collection, keys, keys.map(Number)), CALL));
  process.log.full.add(collection.channels[1]!);
  await assert.rejects(insert(), { code: 'CONNECTION_LOST', message: /^only a part of the rows/ });
  const written = (await readBack(cluster, collection.id)).rows.size;
  assert.ok(written > 0 && written < 20, `${written} rows`);
  process.log.full.add(collection.channels[0]!);
  await assert.rejects(insert(), { code: 'OVERLOADED' });
  process.log.full.clear();
  await insert();
  assert.equal(process.writer.figures!.epoch, 1);
});

test('writes are refused while unflushed bytes are above their bound, until a flush has made room', async () => {
  await using cluster = new WriterCluster({ writer: { freshBytesMax: 20_000, flushBytes: 1_000_000_000 } });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  let key = 0n;
  const insert = async (): Promise<void> => {
    const keys = Array.from({ length: 50 }, () => key++);
    await cluster.settle(process.writer.api.insert(insertOf(collection, keys, keys.map(Number)), CALL));
  };
  await assert.rejects(
    async () => {
      for (let round = 0; round < 100; round++) await insert();
    },
    { code: 'OVERLOADED', message: /writer.fresh_bytes_max = 20000/ },
  );
  await cluster.until(() => process.writer.figures!.freshBytes < 20_000);
  await insert();
});

test('writes are refused while the disk of the log is nearly full, and the writer goes on in its epoch', async () => {
  let freeBytes = 1_000_000;
  let isBroken = false;
  await using cluster = new WriterCluster({
    writer: { diskFreeBytesMin: 10_000 },
    freeDiskBytes: async () => {
      if (isBroken) throw new Error('scripted');
      return freeBytes;
    },
  });
  const process = await cluster.startActive('w');
  const collection = await cluster.createCollection(process, 'c');
  const insert = (key: bigint) =>
    cluster.settle(process.writer.api.insert(insertOf(collection, [key], [1]), CALL));
  const measure = () => cluster.host.timers.advance(1_000);
  await insert(1n);
  freeBytes = 10_001;
  await measure();
  await assert.rejects(insert(2n), {
    code: 'DISK_LIMIT',
    retriable: true,
    message: /10001 bytes left.*10000/,
  });
  assert.equal(process.writer.figures!.inFlightBytes, 0);
  freeBytes = 1_000_000;
  await measure();
  await insert(3n);
  isBroken = true;
  freeBytes = 0;
  await measure();
  await insert(4n);
  assert.equal(process.writer.figures!.epoch, 1);
  assert.equal((await readBack(cluster, collection.id)).rows.size, 3);
});
