import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FencedCatalog } from './fenced-catalog.ts';
import { takeWriterLease, type WriterLease } from './writer-lease.ts';
import { encodeDocument } from '../catalog/document.ts';
import { databaseDocumentKey } from '../catalog/keys.ts';
import { openCatalog, type MetastoreCatalog } from '../catalog/metastore-catalog.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { createSimulatedHost, type SimulatedHost } from '../host/simulated/index.ts';
import { FaultableMetastore } from '../metastore/faultable-metastore.ts';
import { MemoryMetastore } from '../metastore/memory/memory-metastore.ts';
import { MemoryMetastoreVolume } from '../metastore/memory/memory-metastore-volume.ts';
import type { Write } from '../metastore/metastore.ts';
import type { NodeId } from '../schema/index.ts';

const TTL_MS = 3_000;

/** A process: its own connection to the metastore and its own catalog. */
interface Process {
  readonly name: string;
  readonly metastore: FaultableMetastore;
  /** Where the catalog reads from, to be stopped apart. */
  readonly catalogStore: FaultableMetastore;
  readonly catalog: MetastoreCatalog;
}

let host: SimulatedHost;
let volume: MemoryMetastoreVolume;
let stack: AsyncDisposableStack;

beforeEach(() => {
  host = createSimulatedHost();
  volume = new MemoryMetastoreVolume();
  stack = new AsyncDisposableStack();
});

afterEach(async () => {
  await stack.disposeAsync();
});

async function process(name: string): Promise<Process> {
  const connect = () => stack.use(new FaultableMetastore(new MemoryMetastore({ host, volume })));
  const [metastore, catalogStore] = [connect(), connect()];
  const catalog = stack.use(await openCatalog({ metastore: catalogStore, timers: host.timers }));
  return { name, metastore, catalogStore, catalog };
}

async function take(owner: Process, mayReplace = false): Promise<WriterLease | null> {
  const node = { id: owner.name as NodeId, address: `memory://${owner.name}` };
  return await takeWriterLease({ ...owner, host, node, ttlMs: TTL_MS, mayReplace: () => mayReplace });
}

async function leader(owner: Process): Promise<{ lease: WriterLease; fenced: FencedCatalog }> {
  const lease = await take(owner);
  assert.ok(lease !== null);
  return { lease, fenced: new FencedCatalog({ ...owner, lease, timers: host.timers }) };
}

const database = (name: string): Write => ({
  kind: 'put',
  key: databaseDocumentKey(name),
  value: encodeDocument({ id: '1', name, properties: {}, createdTimestamp: '1' }),
});

const settled = <T>(promise: Promise<T>): Promise<T> => host.timers.advanceUntil(promise, 10);

test('W1: one process at a time holds the lease; the next epoch is higher', async () => {
  const [a, b] = [await process('a'), await process('b')];
  const first = (await take(a))!;
  assert.equal(first.epoch, 1);
  assert.equal(await take(b), null);
  await settled(b.catalog.waitFor(({ writer }) => writer?.epoch === 1, AbortSignal.timeout(10_000)));
  assert.deepEqual(b.catalog.snapshot().writer, { nodeId: 'a', address: 'memory://a', epoch: 1 });
  await first[Symbol.asyncDispose]();
  assert.equal(first.isHeld, false);
  const second = (await take(b))!;
  assert.equal(second.epoch, 2);
  await second[Symbol.asyncDispose]();
});

test('W1: a lease is renewed by itself', async () => {
  const lease = (await take(await process('a')))!;
  for (let round = 0; round < 10; round++) {
    await host.timers.advance(TTL_MS);
    lease.checkHeld();
  }
  await lease[Symbol.asyncDispose]();
});

test('W2: a writer that cannot renew stops before another can take over, and goes on if none did', async () => {
  const [a, b] = [await process('a'), await process('b')];
  const lease = (await take(a))!;
  a.metastore.stop();
  await host.timers.advance(TTL_MS * 0.95);
  assert.equal(lease.isHeld, false);
  assert.throws(() => lease.checkHeld(), { code: 'NOT_LEADER' });
  assert.equal(await take(b), null, 'the metastore has not given it away yet');
  assert.equal(lease.ended.aborted, false);
  await host.timers.advance(TTL_MS * 0.1);
  const next = (await take(b))!;
  assert.equal(next.epoch, 2);
  a.metastore.resume();
  await host.timers.advance(TTL_MS);
  assert.ok(lease.ended.aborted);
  assert.ok(isErrorWithCode(lease.ended.reason, 'FENCED'));
  await next[Symbol.asyncDispose]();
});

test('W2: a short absence of the metastore costs nothing', async () => {
  const a = await process('a');
  const lease = (await take(a))!;
  a.metastore.stop();
  await host.timers.advance(TTL_MS / 2);
  assert.ok(lease.isHeld);
  a.metastore.resume();
  await host.timers.advance(TTL_MS * 2);
  assert.ok(lease.isHeld);
  await lease[Symbol.asyncDispose]();
});

test('W1: a former self is replaced at once, and loses', async () => {
  const a = await process('a');
  const old = (await take(a))!;
  const again = await process('a');
  const next = (await take(again, true))!;
  assert.equal(next.epoch, 2);
  await host.timers.advance(100);
  assert.ok(old.ended.aborted, 'it sees its successor in the catalog');
  await host.timers.advance(TTL_MS * 3);
  assert.ok(next.isHeld, 'the end of the old lease does not end the new one');
  await next[Symbol.asyncDispose]();
});

test('W3: changes are planned on a snapshot that shows all earlier ones', async () => {
  const { lease, fenced } = await leader(await process('a'));
  const counts: number[] = [];
  const changes = ['x', 'y', 'z'].map((name) =>
    fenced.change((snapshot) => {
      counts.push(snapshot.databases.size);
      return [database(name)];
    }),
  );
  const revisions = await settled(Promise.all(changes));
  assert.deepEqual(counts, [0, 1, 2]);
  assert.deepEqual(
    revisions,
    revisions.toSorted((a, b) => a - b),
  );
  assert.deepEqual([...(await settled(fenced.current())).databases.keys()].sort(), ['x', 'y', 'z']);
  await lease[Symbol.asyncDispose]();
});

test('a plan that throws or has nothing to do writes nothing', async () => {
  const { lease, fenced } = await leader(await process('a'));
  const before = volume.range('').revision;
  await assert.rejects(settled(fenced.change(() => assert.fail('refused'))), /refused/);
  await settled(fenced.change(() => []));
  assert.equal(volume.range('').revision, before);
  await settled(fenced.change(() => [database('x')]));
  await lease[Symbol.asyncDispose]();
});

test('W3: a former writer changes nothing, and learns that it is one', async () => {
  const [a, b] = [await process('a'), await process('b')];
  const { lease, fenced } = await leader(a);
  a.metastore.stop();
  await host.timers.advance(TTL_MS * 1.1);
  const { lease: newLease, fenced: newFenced } = await leader(b);
  await settled(newFenced.change(() => [database('new')]));
  a.metastore.resume();
  await assert.rejects(settled(fenced.change(() => [database('old')])), (error) =>
    isErrorWithCode(error, 'FENCED', 'NOT_LEADER'),
  );
  assert.ok(lease.ended.aborted || !lease.isHeld);
  assert.deepEqual([...(await settled(newFenced.current())).databases.keys()], ['new']);
  await newLease[Symbol.asyncDispose]();
});

test('W3: the transaction itself is fenced, not only the clock', async () => {
  const [a, b] = [await process('a'), await process('b')];
  const { lease, fenced } = await leader(a);
  await settled(fenced.change(() => [database('x')]));
  await settled(fenced.current());
  a.catalogStore.stop();
  const replaced = (await take(b, true))!;
  assert.ok(lease.isHeld, 'it does not know yet');
  await assert.rejects(
    fenced.change(() => [database('old')]),
    { code: 'FENCED' },
  );
  assert.ok(lease.ended.aborted);
  assert.equal(volume.get(databaseDocumentKey('old')), null);
  await replaced[Symbol.asyncDispose]();
});

test('W4: a change whose answer was lost happens once', async () => {
  const a = await process('a');
  const { lease, fenced } = await leader(a);
  a.metastore.loseReplies(1);
  const revision = await settled(fenced.change(() => [database('x')]));
  assert.equal(volume.get(databaseDocumentKey('x'))!.modRevision, revision);
  a.metastore.loseReplies(3);
  await settled(fenced.change((snapshot) => (assert.equal(snapshot.databases.size, 1), [database('y')])));
  assert.equal((await settled(fenced.current())).databases.size, 2);
  await lease[Symbol.asyncDispose]();
});

test('W4: a change under way when the metastore goes away happens when it is back', async () => {
  const a = await process('a');
  const { lease, fenced } = await leader(a);
  a.metastore.stop();
  const change = fenced.change(() => [database('x')]);
  await host.timers.advance(TTL_MS / 2);
  assert.equal(volume.get(databaseDocumentKey('x')), null);
  a.metastore.resume();
  await settled(change);
  assert.ok(volume.get(databaseDocumentKey('x')) !== null);
  await lease[Symbol.asyncDispose]();
});

for (const happens of [true, false]) {
  test(`W4: a change of unknown outcome is not called undone when the lease ends; it did ${happens ? '' : 'not '}happen`, async () => {
    const [a, b] = [await process('a'), await process('b')];
    const { fenced } = await leader(a);
    if (happens) a.metastore.loseReplies(1);
    else a.metastore.stop();
    const change = fenced.change(() => [database('x')]);
    change.catch(() => undefined);
    await host.timers.advance(1);
    a.metastore.stop();
    await host.timers.advance(TTL_MS * 1.5);
    const next = (await take(b))!;
    a.metastore.resume();
    await assert.rejects(settled(change), { code: 'CONNECTION_LOST' });
    assert.equal(volume.get(databaseDocumentKey('x')) !== null, happens);
    await next[Symbol.asyncDispose]();
  });
}
