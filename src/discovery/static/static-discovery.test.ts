import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discoveryConformance, reader } from '../../../test/conformance/discovery.ts';
import { parseStaticNode } from './parse-static-node.ts';
import { StaticDiscovery } from './static-discovery.ts';

const fixed = 'the list is the configuration and never changes';
discoveryConformance({
  name: 'static',
  createCluster: async (listed) => ({
    join: async () => ({ discovery: new StaticDiscovery(listed), kill: () => {} }),
    settle: async () => {},
    setAway: () => {},
    [Symbol.asyncDispose]: async () => {},
  }),
  notSupported: {
    'announced nodes appear everywhere and vanish when their registration ends': fixed,
    'a process that dies without a word vanishes': fixed,
    'a restarted process takes over its id': fixed,
    'the last list stays while the source is away': 'it has no source',
  },
});

test('only listed nodes may register', async () => {
  await using discovery = new StaticDiscovery([reader(1), reader(2)]);
  await discovery.register(reader(2, { startedMs: 5, labels: {} }));
  for (const stranger of [reader(3), reader(2, { address: 'memory://x' }), reader(1, { role: 'writer' })]) {
    await assert.rejects(discovery.register(stranger), {
      code: 'CONFIG_INVALID',
      message: /reader-1=reader@memory:\/\/reader-1, reader-2=reader@memory:\/\/reader-2/,
    });
  }
});

test('entries of the configuration are read strictly', () => {
  const common = { version: '', startedMs: 0, labels: {} };
  assert.deepEqual(parseStaticNode('reader@tcp://10.0.0.5:19540'), {
    id: 'reader@tcp://10.0.0.5:19540',
    role: 'reader',
    address: 'tcp://10.0.0.5:19540',
    weight: 1,
    zone: '',
    ...common,
  });
  assert.deepEqual(parseStaticNode('r1=reader@unix:///run/r1.sock; weight=2.5; zone=a'), {
    id: 'r1',
    role: 'reader',
    address: 'unix:///run/r1.sock',
    weight: 2.5,
    zone: 'a',
    ...common,
  });
  const wrong = [
    '',
    'reader',
    'reader@10.0.0.5:1',
    'index@tcp://a:1',
    'reader@tcp://a:1;weight=0',
    'reader@tcp://a:1;weight=x',
    'reader@tcp://a:1;rack=7',
  ];
  for (const entry of wrong) {
    assert.throws(() => parseStaticNode(entry), { code: 'CONFIG_INVALID' }, entry);
  }
});
