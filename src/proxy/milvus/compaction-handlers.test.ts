import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestFront, type TestFront } from '../../../test/support/front.ts';
import { createPoints } from '../../../test/support/points.ts';
import { succeeded } from '../../../test/support/milvus.ts';

const NAME = 'points';

let front: TestFront;
before(async () => {
  front = await startTestFront();
  await front.client.connectPromise;
  await createPoints(front.client, NAME);
});
after(() => front[Symbol.asyncDispose]());

test('a compaction is asked for by the name of the collection, or by its id alone', async () => {
  const { client } = front;
  const { id } = front.core.catalog.snapshot().findCollection('default', NAME)!;
  for (const asked of [{}, { majorCompaction: true }, { l0Compaction: true }, { target_size: 512 }]) {
    const answer = succeeded(await client.compact({ collection_name: NAME, ...asked }));
    assert.equal(answer.compactionID, '77');
    assert.equal(answer.compactionPlanCount, 2);
    assert.equal(front.core.last('compact'), id);
  }
  const { compactionID } = await front.call('ManualCompaction', { collectionID: BigInt(id) });
  assert.equal(compactionID, 77n);
});

test('what it cannot be is refused', async () => {
  const refused = async (request: object): Promise<readonly [number, string]> => {
    const { status } = await front.call('ManualCompaction', { collectionName: NAME, ...request });
    return [status!.code!, status!.reason!];
  };
  assert.deepEqual(await refused({ collectionName: 'other' }), [
    100,
    'collection not found[database=default][collection=other]',
  ]);
  assert.deepEqual(await refused({ collectionName: '', collectionID: 999n }), [
    100,
    'collection not found[collection=999]',
  ]);
  const [code, reason] = await refused({ targetSize: 1n });
  assert.equal(code, 1100);
  assert.match(reason, /^targetSize 1 MB is below the size segments are merged up to, 512 MB; leave it out/);
  for (const part of [{ partitionId: 1n }, { channel: 'c' }, { segmentIds: BigInt64Array.of(1n) }]) {
    assert.match((await refused(part))[1], /single partitions, channels or segments is not supported/);
  }
  const { status } = await front.call('GetCompactionState', { compactionID: -1n });
  assert.match(status!.reason!, /^compaction id -1 /);
});

test('its state tells how many plans are done, and from what into what; an unknown one is completed', async () => {
  const { client } = front;
  const state = succeeded(await client.getCompactionState({ compactionID: '77' }));
  assert.deepEqual(
    [state.state, state.executingPlanNo, state.completedPlanNo, state.failedPlanNo, state.timeoutPlanNo],
    ['Executing', '1', '1', '0', '0'],
  );
  const plans = succeeded(await client.getCompactionStateWithPlans({ compactionID: '77' }));
  assert.equal(plans.state, 'Executing');
  assert.deepEqual(plans.mergeInfos, [
    { sources: ['1', '2'], target: '3' },
    { sources: ['4'], target: '-1' },
  ]);
  const unknown = succeeded(await client.getCompactionState({ compactionID: '5' }));
  assert.deepEqual([unknown.state, unknown.executingPlanNo], ['Completed', '0']);
});
