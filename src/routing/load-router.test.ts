import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { routingConformance } from '../../test/conformance/routing.ts';
import type { NodeId } from '../schema/index.ts';
import { loadRouter } from './load-router.ts';
import type { RoutedNode } from './router.ts';

const directory = mkdtempSync(join(tmpdir(), 'mishards-router-'));
after(() => rmSync(directory, { recursive: true }));
const example = fileURLToPath(new URL('../../examples/plugins/router/', import.meta.url));
const nodes: RoutedNode[] = ['a', 'b', 'c'].map((id) => ({ id: id as NodeId, weight: 1, zone: '' }));

function write(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return `./${name}`;
}

const loaded = await loadRouter(join(example, 'index.js'), {}, directory);
routingConformance({
  name: 'example plugin',
  createRouter: () => loaded,
  notSupported: {
    'busiest node within 1.25 of its fair share': 'each item chooses alone',
    'loads follow the weights of nodes': 'it takes no notice of weights',
    'copies are on distinct zones while there are any': 'it takes no notice of zones',
  },
});

test('built-in routers load by name', async () => {
  for (const type of ['consistent-hash', 'rendezvous', 'round-robin']) {
    const router = await loadRouter(type, {}, directory);
    assert.equal(router.driver, type);
    assert.equal(router.place([{ key: 'x', weight: 1 }], nodes, 1).get('x')?.length, 3);
  }
});

test('options of built-in routers are checked', async () => {
  await loadRouter('consistent-hash', { load_bound: 1.1 }, directory);
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['consistent-hash', { load_bound: 1 }, /load_bound of the router is 1;/],
    ['consistent-hash', { bound: 2 }, /no option "bound"; it has load_bound/],
    ['round-robin', { seed: 2 }, /no option "seed"; it has none/],
    ['hash', {}, /"hash" is unknown; use consistent-hash, rendezvous, round-robin/],
    ['constructor', {}, /"constructor" is unknown/],
  ];
  for (const [type, options, message] of wrong) {
    await assert.rejects(loadRouter(type, options, directory), { code: 'CONFIG_INVALID', message });
  }
});

test('a package loads by its npm name from the directory of the configuration', async () => {
  const home = join(directory, 'node_modules/@acme/router');
  mkdirSync(home, { recursive: true });
  cpSync(example, home, { recursive: true });
  const router = await loadRouter('npm:@acme/router', { pins: { 'segment/7': ['c', 'gone'] } }, directory);
  assert.equal(router.driver, 'pinned');
  const placement = router.place([{ key: 'segment/71', weight: 1 }], nodes, 1);
  assert.equal(placement.get('segment/71')?.[0], 'c');
});

test('what a module lacks is named', async () => {
  const nothing = write('nothing.js', 'export const unrelated = 1;');
  const value = write('value.js', 'export const createRouter = 7;');
  const empty = write('empty.js', 'export const createRouter = () => ({ driver: 5 });');
  const broken = write('broken.js', 'throw new Error("no licence");');
  const wrong: [string, RegExp][] = [
    [nothing, /"\.\/nothing\.js" does not export createRouter/],
    [value, /exports a number as createRouter/],
    [empty, /createRouter of "\.\/empty\.js" returned no router/],
    [broken, /"\.\/broken\.js" cannot be loaded: no licence/],
    ['./missing.js', /"\.\/missing\.js" cannot be loaded/],
    ['npm:@acme/absent', /"npm:@acme\/absent" is not found .* npm install @acme\/absent/],
    ['npm:', /names no package/],
  ];
  for (const [type, message] of wrong) {
    await assert.rejects(loadRouter(type, {}, directory), { code: 'CONFIG_INVALID', message }, type);
  }
});

test('a third party’s placement that breaks the contract is refused', async () => {
  const bodies = [
    'new Map()',
    'new Map(items.map((item) => [item.key, [nodes[0].id]]))',
    'new Map(items.map((item) => [item.key, nodes.map(() => nodes[0].id)]))',
    'new Map(items.map((item) => [item.key, nodes.map((node) => node.id + "?")]))',
  ];
  for (const [index, body] of bodies.entries()) {
    const text = `export const createRouter = () => ({ driver: 'bad', place: (items, nodes) => ${body} });`;
    const router = await loadRouter(write(`bad-${index}.js`, text), {}, directory);
    assert.throws(() => router.place([{ key: 'x', weight: 1 }], nodes, 1), { code: 'INTERNAL' }, body);
  }
});
