import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wireConformance } from '../../../test/conformance/wire.ts';
import { nodeTimers } from '../../host/node/index.ts';
import { InProcessWire } from './in-process-wire.ts';

let names = 0;
wireConformance({
  name: 'in-process wire',
  address: () => `memory://node-${names++}`,
  createWire: (limits) => new InProcessWire(nodeTimers, limits),
  processes: 'NOT_SUPPORTED',
});

test('in-process packets pass by reference', async () => {
  const wire = new InProcessWire(nodeTimers);
  const request = { head: null, parts: [new Uint8Array(8)] };
  await using _server = await wire.listen('memory://a', async (_method, received) => {
    assert.equal(received, request);
    return received;
  });
  await using peer = wire.connect('memory://a');
  assert.equal(await peer.call('echo', request, { timeoutMs: 1_000 }), request);
});
