import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig, type ConfigSources } from './resolve-config.ts';

const none: ConfigSources = { file: null, environment: {}, flags: [] };

test('flags win over the environment, the environment over the file, the file over defaults', () => {
  const file = {
    name: 'mishards.yaml',
    document: { proxy: { port: 1, host: 'a', message_bytes_max: '2MiB' } },
  };
  const environment = { MISHARDS_PROXY_PORT: '2', MISHARDS_PROXY_HOST: 'b', PATH: '/bin' };
  const { config, origins } = resolveConfig({ file, environment, flags: ['proxy.port=3'] });
  assert.equal(config['proxy.port'], 3);
  assert.equal(config['proxy.host'], 'b');
  assert.equal(config['proxy.message_bytes_max'], 2 * 2 ** 20);
  assert.equal(config['management.port'], 9091);
  assert.equal(origins['proxy.port'], 'flag --set');
  assert.equal(origins['proxy.host'], 'environment MISHARDS_PROXY_HOST');
  assert.equal(origins['proxy.message_bytes_max'], 'mishards.yaml');
  assert.equal(origins['management.port'], 'default');
});

test('an unknown key names its origin and the nearest key there is', () => {
  assert.throws(
    () => resolveConfig({ ...none, file: { name: 'x.yaml', document: { proxy: { prot: 1 } } } }),
    /x\.yaml: unknown key proxy\.prot; did you mean proxy\.port\?/,
  );
  assert.throws(
    () => resolveConfig({ ...none, environment: { MISHARDS_PROXY_PROT: '1' } }),
    /did you mean MISHARDS_PROXY_PORT\?/,
  );
});

test('a value out of its domain names key, origin, value and bound; all problems come at once', () => {
  assert.throws(
    () =>
      resolveConfig({
        ...none,
        flags: ['proxy.port=70000', 'telemetry.log_level=loud', 'discovery.lease_ttl=3 parsecs'],
      }),
    (error: Error) =>
      /proxy\.port \(flag --set\) is "70000" but must be between 0 and 65535/.test(error.message) &&
      /telemetry\.log_level .* must be one of debug/.test(error.message) &&
      /discovery\.lease_ttl .* units ms, s, m, h/.test(error.message),
  );
});

test('durations and sizes take units', () => {
  const { config } = resolveConfig({
    ...none,
    flags: ['discovery.lease_ttl=1.5s', 'writer.flush_bytes=1GiB'],
  });
  assert.equal(config['discovery.lease_ttl'], 1_500);
  assert.equal(config['writer.flush_bytes'], 2 ** 30);
});
