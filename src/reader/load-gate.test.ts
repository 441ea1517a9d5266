import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadGate } from './load-gate.ts';

const never = new AbortController().signal;

/** Enters `names` in order behind one pass and gives the order in which they came through. */
async function orderOf(names: readonly string[], promoted: readonly string[] = []): Promise<string[]> {
  const gate = new LoadGate(1);
  const first = await gate.enter('background', never).pass;
  const order: string[] = [];
  const ended = names.map((name) => {
    const ticket = gate.enter(name.startsWith('demand') ? 'demand' : 'background', never);
    if (promoted.includes(name)) ticket.promote();
    return ticket.pass.then((pass) => {
      order.push(name);
      pass[Symbol.dispose]();
    });
  });
  first[Symbol.dispose]();
  await Promise.all(ended);
  return order;
}

test('what a request waits for goes before what placement wants', async () => {
  assert.deepEqual(await orderOf(['background 1', 'demand 1', 'background 2', 'demand 2']), [
    'demand 1',
    'demand 2',
    'background 1',
    'background 2',
  ]);
});

test('a background load moves up when a request wants it', async () => {
  assert.deepEqual(await orderOf(['background 1', 'background 2', 'demand 1'], ['background 2']), [
    'background 2',
    'demand 1',
    'background 1',
  ]);
});

test('no more than the bound run at a time', async () => {
  const gate = new LoadGate(2);
  let running = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      using _pass = await gate.enter('demand', never).pass;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    }),
  );
  assert.equal(most, 2);
});

test('an aborted wait leaves the line and takes no place', async () => {
  const gate = new LoadGate(1);
  const pass = await gate.enter('demand', never).pass;
  const controller = new AbortController();
  const waiting = gate.enter('demand', controller.signal).pass;
  controller.abort(new Error('released'));
  await assert.rejects(waiting, /released/);
  await assert.rejects(gate.enter('demand', controller.signal).pass, /released/);
  pass[Symbol.dispose]();
  pass[Symbol.dispose]();
  using _again = await gate.enter('demand', never).pass;
});
