import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeHost } from '../host/node/index.ts';
import { createWire } from './create-wire.ts';
import { parseSocketAddress } from './socket/socket-address.ts';

const request = { head: null, parts: [] };

test('the scheme of an address chooses the driver', async () => {
  const wire = createWire({ host: createNodeHost(1) });
  for (const address of ['memory://a', 'tcp://127.0.0.1:0']) {
    await using server = await wire.listen(address, async (method) => ({ head: method, parts: [] }));
    await using peer = wire.connect(server.address);
    assert.equal((await peer.call(address, request, { timeoutMs: 60_000 })).head, address);
  }
});

test('an address without a known scheme is a configuration error', async () => {
  const wire = createWire({ host: createNodeHost(1) });
  assert.throws(() => wire.connect('http://a'), { code: 'CONFIG_INVALID', message: /"http:\/\/a"/ });
  assert.throws(() => wire.connect('a:19530'), { code: 'CONFIG_INVALID' });
  await assert.rejects(
    wire.listen('memory://', async () => request),
    { code: 'CONFIG_INVALID' },
  );
});

test('socket addresses are read strictly', () => {
  assert.deepEqual(parseSocketAddress('tcp://reader-1.mishards:9000'), {
    kind: 'tcp',
    host: 'reader-1.mishards',
    port: 9000,
  });
  assert.deepEqual(parseSocketAddress('tcp://[::1]:0'), { kind: 'tcp', host: '::1', port: 0 });
  assert.deepEqual(parseSocketAddress('unix:///run/a.sock'), { kind: 'unix', path: '/run/a.sock' });
  const wrong = ['tcp://a', 'tcp://a:65536', 'tcp://:1', 'tcp://a:1/x', 'unix://a.sock', 'udp://a:1'];
  for (const address of [...wrong, `unix:///${'a'.repeat(107)}`]) {
    assert.throws(() => parseSocketAddress(address), { code: 'CONFIG_INVALID' }, address);
  }
});
