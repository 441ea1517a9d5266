import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopShare } from './loop-share.ts';

test('chains of results let a timer fire between them', async () => {
  const share = new LoopShare(4);
  const order: string[] = [];
  const timer = new Promise<void>((resolve) =>
    setTimeout(() => {
      order.push('timer');
      resolve();
    }, 0),
  );
  const chain = async (): Promise<void> => {
    for (let step = 0; step < 1_000 && !order.includes('timer'); step++) await share.take();
    order.push('chain');
  };
  await Promise.all([chain(), chain(), timer]);
  assert.deepEqual(order, ['timer', 'chain', 'chain']);
});

test('a few results are not held up', async () => {
  const share = new LoopShare(4);
  let turned = false;
  const immediate = new Promise<void>((resolve) =>
    setImmediate(() => {
      turned = true;
      resolve();
    }),
  );
  for (let step = 0; step < 4; step++) await share.take();
  assert.equal(turned, false);
  await immediate;
});
