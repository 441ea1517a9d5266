import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { discoveryConformance, reader, type DiscoveryCluster } from '../../test/conformance/discovery.ts';
import { createMortalHost } from '../../test/support/mortal-host.ts';
import type { MishardsError } from '../errors/index.ts';
import { MemoryDisk, SimulatedClock, createSimulatedHost, fileError } from '../host/simulated/index.ts';
import { MemoryMetastore } from '../metastore/memory/memory-metastore.ts';
import type { DiscoveryContext } from './discovery.ts';
import { loadDiscovery } from './load-discovery.ts';

const directory = mkdtempSync(join(tmpdir(), 'mishards-discovery-'));
after(() => rmSync(directory, { recursive: true }));
const example = fileURLToPath(new URL('../../examples/plugins/discovery/', import.meta.url));

interface TestContext extends DiscoveryContext {
  readonly problems: MishardsError[];
}

function createContext(options: Record<string, unknown>): TestContext {
  const host = createSimulatedHost();
  const problems: MishardsError[] = [];
  const metastore = new MemoryMetastore({ host });
  return { options, host, metastore, problems, onProblem: (error) => problems.push(error) };
}

function write(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return `./${name}`;
}

/** The example plugin's processes: one shared disk, which can be taken away. */
async function createCluster(): Promise<DiscoveryCluster> {
  const clock = new SimulatedClock();
  const disk = new MemoryDisk({ clock });
  const host = createSimulatedHost({ clock, disk });
  const stack = new AsyncDisposableStack();
  let isAway = false;
  return {
    async join() {
      let isDead = false;
      const files = disk.mount();
      files.intercept = (operation, path) => {
        if (isAway || isDead) throw fileError('ESTALE', operation, path);
      };
      const mortal = createMortalHost({ ...host, files });
      const context: DiscoveryContext = {
        ...createContext({ directory: '/shared/nodes' }),
        host: mortal,
      };
      const discovery = stack.use(await loadDiscovery(join(example, 'index.js'), context, directory));
      const kill = (): void => {
        isDead = true;
        mortal.kill();
      };
      return { discovery, kill };
    },
    settle: () => host.timers.advance(10_000),
    setAway: (away) => void (isAway = away),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

discoveryConformance({ name: 'example plugin', createCluster, notSupported: {} });

test('built-in discoveries load by name', async () => {
  const entries = ['r2=reader@tcp://b:1', 'r1=reader@tcp://a:1'];
  await using fixed = await loadDiscovery('static', createContext({ nodes: entries }), directory);
  assert.deepEqual(
    fixed.nodes().map((node) => node.id),
    ['r1', 'r2'],
  );
  await using registry = await loadDiscovery('metastore', createContext({ leaseTtlMs: 500 }), directory);
  assert.equal(registry.driver, 'metastore');
});

test('options of built-in discoveries are checked', async () => {
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['static', {}, /discovery\.nodes is empty/],
    ['static', { nodes: ['reader@a'] }, /"reader@a"/],
    ['static', { nodes: ['a=reader@tcp://a:1', 'a=reader@tcp://b:1'] }, /two nodes of the id a/],
    ['metastore', { leaseTtlMs: 1 }, /lease time of discovery is 1;/],
    ['dns', {}, /"dns" is unknown; use static, metastore/],
    ['toString', {}, /"toString" is unknown/],
  ];
  for (const [type, options, message] of wrong) {
    const loading = loadDiscovery(type, createContext(options), directory);
    await assert.rejects(loading, { code: 'CONFIG_INVALID', message }, type);
  }
});

test('a package loads by its npm name from the directory of the configuration', async () => {
  const home = join(directory, 'node_modules/@acme/discovery');
  mkdirSync(home, { recursive: true });
  cpSync(example, home, { recursive: true });
  const context = createContext({ directory: '/nodes' });
  await using discovery = await loadDiscovery('npm:@acme/discovery', context, directory);
  assert.equal(discovery.driver, 'directory');
});

test('what a module lacks is named', async () => {
  const nothing = write('nothing.js', 'export const createRouter = () => 1;');
  const half = write(
    'half.js',
    'export const createDiscovery = async () => ({ driver: "x", register() {} });',
  );
  const empty = write('empty.js', 'export const createDiscovery = async () => null;');
  const wrong: [string, RegExp][] = [
    [nothing, /"\.\/nothing\.js" does not export createDiscovery/],
    [half, /createDiscovery of "\.\/half\.js" returned no discovery: it has no function nodes/],
    [empty, /returned no discovery/],
  ];
  for (const [type, message] of wrong) {
    const loading = loadDiscovery(type, createContext({}), directory);
    await assert.rejects(loading, { code: 'CONFIG_INVALID', message }, type);
  }
});

test('a third party’s malformed nodes are left out and reported, and the newest of an id counts', async () => {
  const nodes = JSON.stringify([
    reader(2),
    { ...reader(3), address: 7 },
    reader(1, { startedMs: 50 }),
    reader(1, { startedMs: 40 }),
  ]);
  const type = write(
    'odd.js',
    `export const createDiscovery = async () => ({
      driver: 'odd', register: async () => {}, nodes: () => ${nodes},
      subscribe: () => ({ [Symbol.dispose]() {} }), async [Symbol.asyncDispose]() {},
    });`,
  );
  const context = createContext({});
  await using discovery = await loadDiscovery(type, context, directory);
  assert.deepEqual(discovery.nodes(), [reader(1, { startedMs: 50 }), reader(2)]);
  assert.equal(context.problems.length, 1);
  assert.match(context.problems[0]!.message, /its address is 7/);
});
