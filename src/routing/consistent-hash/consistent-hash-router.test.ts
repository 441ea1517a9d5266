import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routingConformance } from '../../../test/conformance/routing.ts';
import type { NodeId } from '../../schema/index.ts';
import type { RoutedNode } from '../router.ts';
import { ConsistentHashRouter } from './consistent-hash-router.ts';

routingConformance({
  name: 'consistent-hash',
  createRouter: () => new ConsistentHashRouter(),
  notSupported: {},
});

const nodes = (count: number): RoutedNode[] =>
  Array.from({ length: count }, (_, index) => ({ id: `reader-${index}` as NodeId, weight: 1, zone: '' }));
const items = (count: number): { key: string; weight: number }[] =>
  Array.from({ length: count }, (_, index) => ({ key: `segment/${index}`, weight: 1 }));

test('first copies do not depend on how many copies there are', () => {
  const router = new ConsistentHashRouter();
  const one = router.place(items(40), nodes(7), 1);
  const three = router.place(items(40), nodes(7), 3);
  for (const [key, order] of one) assert.equal(three.get(key)![0], order[0]);
});

test('one item too heavy for the bound has a node to itself', () => {
  const router = new ConsistentHashRouter();
  const placement = router.place([{ key: 'giant', weight: 90 }, ...items(30)], nodes(4), 1);
  const home = placement.get('giant')![0];
  const guests = [...placement].filter(([key, order]) => key !== 'giant' && order[0] === home);
  assert.deepEqual(guests, []);
});

test('a tighter bound spreads better', () => {
  const router = new ConsistentHashRouter({ loadBound: 1.05 });
  const counts = new Map<string, number>();
  for (const [first] of router.place(items(200), nodes(4), 1).values()) {
    counts.set(first!, (counts.get(first!) ?? 0) + 1);
  }
  assert.ok(Math.max(...counts.values()) <= 52, JSON.stringify([...counts]));
});

test('the placement of a known cluster does not change between versions', () => {
  const placement = new ConsistentHashRouter().place(items(8), nodes(4), 1);
  const home = Object.fromEntries([...placement].map(([key, order]) => [key, order.join(' ')]).sort());
  assert.deepEqual(home, {
    'segment/0': 'reader-3 reader-2 reader-0 reader-1',
    'segment/1': 'reader-1 reader-2 reader-3 reader-0',
    'segment/2': 'reader-2 reader-1 reader-0 reader-3',
    'segment/3': 'reader-3 reader-0 reader-1 reader-2',
    'segment/4': 'reader-1 reader-0 reader-2 reader-3',
    'segment/5': 'reader-2 reader-3 reader-1 reader-0',
    'segment/6': 'reader-0 reader-1 reader-3 reader-2',
    'segment/7': 'reader-0 reader-1 reader-3 reader-2',
  });
});
