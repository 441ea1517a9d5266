import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbandonedCaches, OWNER_FILE } from './abandoned-caches.ts';
import { createSegmentCache } from './segment-cache.ts';
import { createSimulatedHost, type SimulatedHost } from '../host/simulated/index.ts';
import { createMemoryObjectStore } from '../object-store/memory/memory-object-store.ts';
import { silentLogger } from '../telemetry/logger.ts';

const ROOT = '/cache';
const AFTER_MS = 60_000;
const BEAT_MS = 5_000;

/** Nodes of several machines on one directory, which a test lets live and die. */
class Stage {
  readonly host: SimulatedHost = createSimulatedHost();
  readonly known = new Set<string>();
  readonly alivePids = new Set<number>();

  async start(nodeId: string, machine = nodeId, pid = 1): Promise<AbandonedCaches> {
    const { host, known, alivePids } = this;
    const caches = new AbandonedCaches({
      host,
      root: ROOT,
      nodeId,
      process: { machine, pid, isAlive: (other) => alivePids.has(other) },
      isKnown: (id) => known.has(id),
      abandonedAfterMs: AFTER_MS,
      logger: silentLogger,
    });
    await caches.claim();
    await this.host.files.write(`${caches.directory}/segment~1~2~rows.arrow@3`, new Uint8Array(3));
    return caches;
  }

  /** So long, with signs of life of these, and a look of the first at each. */
  async pass(durationMs: number, ...living: readonly AbandonedCaches[]): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += BEAT_MS) {
      await this.host.timers.advance(BEAT_MS);
      for (const caches of living) assert.ok(await caches.beat());
      await living[0]!.look();
    }
  }

  async directories(): Promise<readonly string[]> {
    return await this.host.files.list(ROOT);
  }
}

test('the cache of a node that never comes back goes, those of living ones stay', async () => {
  const stage = new Stage();
  const [a, b] = [await stage.start('a'), await stage.start('b')];
  await stage.start('dead');
  await stage.pass(AFTER_MS, a, b);
  assert.deepEqual(await stage.directories(), ['a', 'b', 'dead'], 'it is watched for as long as that');
  await stage.pass(BEAT_MS, a, b);
  assert.deepEqual(await stage.directories(), ['a', 'b']);
  await stage.pass(5 * AFTER_MS, a, b);
  assert.deepEqual(await stage.directories(), ['a', 'b']);
  assert.equal((await stage.host.files.list(`${ROOT}/b`)).length, 2);
});

test('a node that falls silent is left alone when it is registered, or its process is there on this machine', async () => {
  const stage = new Stage();
  const a = await stage.start('a', 'here', 1);
  await stage.start('registered', 'there', 2);
  await stage.start('stopped', 'here', 3);
  await stage.start('dead', 'here', 4);
  // The number is taken, but on another machine.
  await stage.start('elsewhere', 'there', 3);
  stage.known.add('registered');
  stage.alivePids.add(3);
  await stage.pass(2 * AFTER_MS, a);
  assert.deepEqual(await stage.directories(), ['a', 'registered', 'stopped']);
  stage.known.clear();
  stage.alivePids.clear();
  await stage.pass(AFTER_MS, a);
  assert.equal((await stage.directories()).length, 3, 'what was not watched before does not count');
  await stage.pass(2 * BEAT_MS, a);
  assert.deepEqual(await stage.directories(), ['a']);
});

test('a node that comes back keeps its cache', async () => {
  const stage = new Stage();
  const a = await stage.start('a');
  await stage.start('b');
  await stage.pass(AFTER_MS, a);
  const again = await stage.start('b');
  await stage.pass(AFTER_MS, a);
  assert.deepEqual(await stage.directories(), ['a', 'b'], 'the watch begins anew');
  assert.ok(await again.beat());
});

test('a node that comes back while its cache is being taken away gets it back', async () => {
  const stage = new Stage();
  const a = await stage.start('a');
  await stage.start('b');
  await stage.pass(AFTER_MS, a);
  const { files } = stage.host;
  const { rename } = files;
  files.rename = async (from, to) => {
    files.rename = rename;
    await stage.start('b');
    await files.rename(from, to);
  };
  await stage.host.timers.advance(BEAT_MS);
  await a.look();
  assert.deepEqual(await stage.directories(), ['a', 'b']);
  assert.equal((await files.list(`${ROOT}/b`)).length, 2);
});

test('a removal that was cut off is ended by the next', async () => {
  const stage = new Stage();
  const a = await stage.start('a');
  await stage.start('dead');
  await stage.pass(AFTER_MS, a);
  const { files } = stage.host;
  const { removeTree } = files;
  files.removeTree = () => Promise.reject(new Error('killed'));
  await stage.host.timers.advance(BEAT_MS);
  await a.look();
  files.removeTree = removeTree;
  assert.equal((await stage.directories()).length, 2);
  const next = await stage.start('a');
  await stage.pass(AFTER_MS + BEAT_MS, next);
  assert.deepEqual(await stage.directories(), ['a']);
});

test('a directory that cannot be read does not keep the others', async () => {
  const stage = new Stage();
  const a = await stage.start('a');
  await stage.start('barred');
  await stage.start('dead');
  const { files } = stage.host;
  const { stat } = files;
  files.stat = (path) =>
    path.includes('barred') ? Promise.reject(new Error('permission denied')) : stat.call(files, path);
  await stage.pass(AFTER_MS + BEAT_MS, a);
  assert.deepEqual(await stage.directories(), ['a', 'barred']);
});

test('what is not a cache with an owner is never touched', async () => {
  const stage = new Stage();
  const a = await stage.start('a');
  const { files } = stage.host;
  await files.writeAtomic(`${ROOT}/somebodys/file`, new Uint8Array(1));
  await files.writeAtomic(`${ROOT}/other/${OWNER_FILE}`, new TextEncoder().encode('{"name":"x"}'));
  await files.writeAtomic(`${ROOT}/broken/${OWNER_FILE}`, new TextEncoder().encode('{'));
  await files.writeAtomic(`${ROOT}/file`, new Uint8Array(1));
  await stage.pass(3 * AFTER_MS, a);
  assert.deepEqual(await stage.directories(), ['a', 'broken', 'file', 'other', 'somebodys']);
});

test('a cache that is opened keeps the mark of its owner', async () => {
  const stage = new Stage();
  const a = await stage.start('a');
  const { host } = stage;
  const objectStore = createMemoryObjectStore({ host });
  await using _ = await createSegmentCache({ host, objectStore, directory: `${ROOT}/a`, bytesMax: 10 });
  assert.ok(await a.beat());
});
