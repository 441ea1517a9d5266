import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDataDirectory, identifyCluster, type ClusterParts } from './cluster-identity.ts';
import { SeededRandom } from '../host/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { MemoryMetastore } from '../metastore/memory/memory-metastore.ts';
import { MemoryMetastoreVolume } from '../metastore/memory/memory-metastore-volume.ts';
import { createMemoryObjectStore, MemoryObjectVolume } from '../object-store/memory/memory-object-store.ts';

const host = createSimulatedHost();
const newStore = () => createMemoryObjectStore({ host, volume: new MemoryObjectVolume() });
const newMetastore = () => new MemoryMetastore({ host, volume: new MemoryMetastoreVolume() });
const parts = (change: Partial<ClusterParts> = {}): ClusterParts => ({
  metastore: newMetastore(),
  objectStore: newStore(),
  random: new SeededRandom(1),
  ...change,
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('processes that start a cluster at once, and later ones, agree on its id', async () => {
  const cluster = parts();
  const starters = Array.from({ length: 8 }, (_, seed) => ({ ...cluster, random: new SeededRandom(seed) }));
  const ids = await Promise.all(starters.map(identifyCluster));
  assert.match(ids[0]!, /^[0-9a-f]{32}$/);
  assert.deepEqual(new Set(ids).size, 1);
  await cluster.objectStore.put('segment/1/2/rows', bytes('x'));
  assert.equal(await identifyCluster({ ...cluster, random: new SeededRandom(99) }), ids[0]);
});

test('a process that died between the two marks leaves nothing in the way', async () => {
  const { objectStore } = parts();
  const id = await identifyCluster(parts({ objectStore }));
  assert.equal(await identifyCluster(parts({ objectStore })), id, 'the marker alone');
});

test('metadata and objects of different clusters are refused, whichever is the other one', async () => {
  const [first, second] = [parts(), parts({ random: new SeededRandom(2) })];
  await identifyCluster(first);
  await identifyCluster(second);
  const mixed = { ...first, objectStore: second.objectStore };
  await assert.rejects(identifyCluster(mixed), {
    code: 'CONFIG_INVALID',
    message: /is of cluster \w+ and the/,
  });
  await assert.rejects(identifyCluster({ ...first, objectStore: newStore() }), {
    code: 'CONFIG_INVALID',
    message: /has no cluster.json/,
  });
  await second.objectStore.put('segment/1/2/rows', bytes('x'));
  await assert.rejects(identifyCluster({ ...second, metastore: newMetastore() }), {
    code: 'CONFIG_INVALID',
    message: /segment\/1\/2\/rows/,
  });
});

test('objects of somebody else are refused, those of a cluster from before the marker are taken over', async () => {
  const cluster = parts();
  await cluster.objectStore.put('photos/1', bytes('x'));
  await assert.rejects(identifyCluster(cluster), { code: 'CONFIG_INVALID', message: /photos\/1/ });
  await cluster.metastore.transact({
    compares: [],
    then: [{ kind: 'put', key: 'catalog/database/default', value: '{}' }],
  });
  assert.match(await identifyCluster(cluster), /^[0-9a-f]{32}$/);
});

test('storage of a newer program, or a damaged marker, is told', async () => {
  for (const [content, code] of [
    ['{"id":"a","storageVersion":2}', 'NOT_SUPPORTED'],
    ['{"id":"a"', 'CORRUPT_DATA'],
    ['{"id":1,"storageVersion":1}', 'CORRUPT_DATA'],
  ] as const) {
    const cluster = parts();
    await cluster.objectStore.put('cluster.json', bytes(content));
    await assert.rejects(identifyCluster(cluster), { code });
  }
});

test('a data directory with only files of others is refused', async () => {
  const { files } = createSimulatedHost();
  await checkDataDirectory(files, '/absent');
  await files.makeDirectory('/data/lost+found');
  await files.write('/data/.hidden', bytes(''));
  await checkDataDirectory(files, '/data');
  await files.write('/data/thesis.doc', bytes(''));
  await assert.rejects(checkDataDirectory(files, '/data'), { code: 'CONFIG_INVALID', message: /thesis.doc/ });
  await files.write('/data/metadata.db-wal', bytes(''));
  await checkDataDirectory(files, '/data');
});
