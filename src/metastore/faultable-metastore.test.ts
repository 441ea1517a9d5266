import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testMetastore } from '../../test/conformance/metastore.ts';
import { isErrorWithCode } from '../errors/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { FaultableMetastore } from './faultable-metastore.ts';
import { createMemoryMetastore } from './memory/memory-metastore.ts';
import { MemoryMetastoreVolume } from './memory/memory-metastore-volume.ts';

const isUnavailable = (error: unknown): boolean => isErrorWithCode(error, 'METASTORE_UNAVAILABLE');

testMetastore('faultable', async () => {
  const host = createSimulatedHost();
  const volume = new MemoryMetastoreVolume(64);
  return {
    keptRevisionsBelow: 100,
    open: async () => new FaultableMetastore(createMemoryMetastore({ host, volume })),
    passTime: (durationMs) => host.timers.advance(durationMs),
    [Symbol.asyncDispose]: async () => {},
  };
});

function stage() {
  const { timers, clock } = createSimulatedHost();
  const volume = new MemoryMetastoreVolume(64);
  const healthy = createMemoryMetastore({ host: { clock, timers }, volume });
  const faulty = new FaultableMetastore(createMemoryMetastore({ host: { clock, timers }, volume }));
  const put = async (value: string): Promise<void> => {
    await healthy.transact({ compares: [], then: [{ kind: 'put', key: 'a', value }] });
  };
  return { timers, healthy, faulty, put };
}

test('a stopped metastore rejects every call until it is resumed', async () => {
  const { timers, faulty } = stage();
  const lease = await faulty.grantLease(1_000);
  faulty.stop();
  await assert.rejects(faulty.get('a'), isUnavailable);
  await assert.rejects(faulty.range(''), isUnavailable);
  await assert.rejects(faulty.transact({ compares: [], then: [] }), isUnavailable);
  await assert.rejects(faulty.grantLease(1_000), isUnavailable);
  await assert.rejects(lease.renew(), isUnavailable);
  await timers.advance(1_100);
  faulty.resume();
  await assert.rejects(lease.renew(), (error) => isErrorWithCode(error, 'FENCED'));
  assert.equal(await faulty.get('a'), null);
});

test('its watches are silent while stopped and miss nothing', async () => {
  const { timers, faulty, put } = stage();
  const seen: number[] = [];
  await using _watch = faulty.watch('', 0, {
    onEvents: (_events, revision) => void seen.push(revision),
    onReset: (reason) => assert.fail(reason),
  });
  await put('1');
  await timers.advance(50);
  faulty.stop();
  await put('2');
  await put('3');
  await timers.advance(50);
  assert.deepEqual(seen, [1]);
  faulty.resume();
  await put('4');
  await timers.advance(50);
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

test('a lost reply hides a transaction that happened', async () => {
  const { healthy, faulty } = stage();
  faulty.loseReplies();
  const transaction = { compares: [], then: [{ kind: 'put', key: 'a', value: '1' }] } as const;
  await assert.rejects(faulty.transact(transaction), isUnavailable);
  assert.equal((await healthy.get('a'))?.value, '1');
  assert.equal((await faulty.transact(transaction)).succeeded, true);
});
