import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SeededRandom, type Random } from '../../src/host/index.ts';
import type { Placement, RoutedItem, RoutedNode, Router } from '../../src/routing/router.ts';
import type { NodeId } from '../../src/schema/index.ts';
import { testSeed } from '../support/seed.ts';

export type RoutingProperty =
  | 'copies are on distinct zones while there are any'
  | 'moves little when a node joins or leaves'
  | 'busiest node within 1.25 of its fair share'
  | 'loads follow the weights of nodes'
  | 'the items of a failed node spread over the others';

export interface RoutingSuite {
  readonly name: string;
  createRouter(): Router;
  /** `NOT_SUPPORTED`: what the strategy cannot give, and why. */
  readonly notSupported: Readonly<Partial<Record<RoutingProperty, string>>>;
}

type Check = (what: string, body: (context: TestContext, random: Random) => void) => void;

export function routingConformance(suite: RoutingSuite): void {
  const check: Check = (what, body) => {
    test(`${suite.name} router: ${what}`, (context) => {
      context.diagnostic(`seed ${testSeed}`);
      body(context, new SeededRandom(testSeed).fork(what));
    });
  };
  const checkProperty = (what: RoutingProperty, body: Parameters<Check>[1]): void => {
    const why = suite.notSupported[what];
    if (why === undefined) check(what, body);
    else test(`${suite.name} router: NOT_SUPPORTED ${what}: ${why}`, () => {});
  };
  registerEdges(check, suite);
  registerRules(check, suite);
  checkProperty('copies are on distinct zones while there are any', (_context, random) =>
    checkZones(suite.createRouter(), random),
  );
  checkProperty('moves little when a node joins or leaves', (context, random) =>
    checkMovement(suite.createRouter(), context, random),
  );
  checkProperty('busiest node within 1.25 of its fair share', (context, random) =>
    checkSpread(suite.createRouter(), context, random),
  );
  checkProperty('loads follow the weights of nodes', (context, random) =>
    checkWeights(suite.createRouter(), context, random),
  );
  checkProperty('the items of a failed node spread over the others', (context, random) =>
    checkFailover(suite.createRouter(), context, random),
  );
}

function registerEdges(check: Check, suite: RoutingSuite): void {
  check('no nodes give empty lists, no items an empty placement', (_context, random) => {
    const router = suite.createRouter();
    const items = makeItems(5, random);
    const empty = router.place(items, [], 2);
    assert.deepEqual([...empty.keys()].sort(), items.map((item) => item.key).sort());
    for (const order of empty.values()) assert.deepEqual(order, []);
    assert.equal(router.place([], makeNodes(3, random), 2).size, 0);
  });

  check('one node takes all, copies beyond the nodes are all nodes', (_context, random) => {
    const router = suite.createRouter();
    const items = makeItems(9, random);
    const [only] = makeNodes(1, random);
    for (const copies of [1, 3]) {
      for (const order of router.place(items, [only!], copies).values()) assert.deepEqual(order, [only!.id]);
    }
    const nodes = makeNodes(3, random);
    checkTotal(router.place(items, nodes, 7), items, nodes);
  });
}

function registerRules(check: Check, suite: RoutingSuite): void {
  check(
    'every item lists every node once, the same each time and in any order of input',
    (_context, random) => {
      for (let round = 0; round < 60; round++) {
        const items = makeItems(random.below(40), random, 'mixed');
        const nodes = makeNodes(1 + random.below(12), random, random.below(4));
        const copies = 1 + random.below(4);
        const placement = suite.createRouter().place(items, nodes, copies);
        checkTotal(placement, items, nodes);
        const again = suite.createRouter();
        // A router that has seen other nodes before answers the same.
        again.place(items, nodes.slice(1), copies);
        const shuffled = again.place(shuffle(items, random), shuffle(nodes, random), copies);
        assert.deepEqual(sortedEntries(shuffled), sortedEntries(placement));
      }
    },
  );

  check('the input stays as it was', (_context, random) => {
    const items = Object.freeze(makeItems(9, random));
    const nodes = Object.freeze(makeNodes(3, random));
    suite.createRouter().place(items, nodes, 2);
  });
}

function checkZones(router: Router, random: Random): void {
  for (let round = 0; round < 40; round++) {
    const items = makeItems(30, random, 'mixed');
    const zoneCount = 1 + random.below(4);
    const nodes = makeNodes(zoneCount + random.below(9), random, zoneCount);
    const zoneOf = new Map(nodes.map((node) => [node.id, node.zone]));
    for (let copies = 1; copies <= 4; copies++) {
      for (const order of router.place(items, nodes, copies).values()) {
        const zones = new Set(order.slice(0, copies).map((id) => zoneOf.get(id)));
        assert.equal(zones.size, Math.min(copies, zoneCount));
      }
    }
  }
}

/** The share of items whose first node changed, over the least possible; by items, nodes and direction. */
function checkMovement(router: Router, context: TestContext, random: Random): void {
  for (const [itemCount, nodeCount, allowed] of [
    [8, 4, 2.5],
    [64, 8, 2],
    [400, 8, 1.5],
  ] as const) {
    const rounds = Math.ceil(4_000 / itemCount);
    let joined = 0;
    let left = 0;
    for (let round = 0; round < rounds; round++) {
      const items = makeItems(itemCount, random);
      const nodes = makeNodes(nodeCount + 1, random);
      const more = router.place(items, nodes, 1);
      joined += movedFraction(router.place(items, nodes.slice(0, -1), 1), more);
      left += movedFraction(more, router.place(items, nodes.slice(1), 1));
    }
    const ideal = 1 / (nodeCount + 1);
    for (const [what, sum] of [
      ['joins', joined],
      ['leaves', left],
    ] as const) {
      const figure = sum / rounds / ideal;
      const text = `a node ${what} ${nodeCount} with ${itemCount} items: ${figure.toFixed(2)} × the ideal ${ideal.toFixed(3)}`;
      context.diagnostic(`${text} moved`);
      assert.ok(figure <= allowed, `${text} moved, allowed ${allowed}`);
    }
  }
}

function checkSpread(router: Router, context: TestContext, random: Random): void {
  for (const [itemCount, nodeCount] of [
    [8, 4],
    [16, 4],
    [64, 8],
    [50, 5],
  ] as const) {
    let worst = 0;
    for (let round = 0; round < 300; round++) {
      const items = makeItems(itemCount, random);
      const nodes = makeNodes(nodeCount, random);
      worst = Math.max(worst, busiest(router.place(items, nodes, 1), items, nodes, 1));
    }
    context.diagnostic(
      `${itemCount} items on ${nodeCount} nodes: busiest ${worst.toFixed(2)} × its fair share`,
    );
    assert.ok(worst <= 1.25 + 1e-9, `${worst}`);
  }
  const items = makeItems(300, random, 'mixed');
  const nodes = makeNodes(6, random);
  for (const copies of [1, 2, 3]) {
    const figure = busiest(router.place(items, nodes, copies), items, nodes, copies);
    context.diagnostic(`300 items of mixed weight, ${copies} copies: ${figure.toFixed(2)} ×`);
    assert.ok(figure <= 1.25 + 1e-9, `${figure}`);
  }
}

function checkWeights(router: Router, context: TestContext, random: Random): void {
  for (const unit of [1, 32]) {
    const nodes = makeNodes(6, random).map((node, index) => ({ ...node, weight: unit * (1 + (index % 3)) }));
    const items = makeItems(3_000, random);
    const placement = router.place(items, nodes, 1);
    const loads = loadsOf(placement, items, 1);
    const total = items.reduce((sum, item) => sum + item.weight, 0);
    const capacity = nodes.reduce((sum, node) => sum + node.weight, 0);
    for (const node of nodes) {
      const share = (loads.get(node.id) ?? 0) / ((total * node.weight) / capacity);
      context.diagnostic(`weight ${node.weight}: ${share.toFixed(2)} × its fair share`);
      assert.ok(share > 0.6 && share < 1.3, `${share}`);
    }
  }
}

function checkFailover(router: Router, context: TestContext, random: Random): void {
  const items = makeItems(1_000, random);
  const nodes = makeNodes(8, random);
  const placement = router.place(items, nodes, 1);
  const failed = nodes[0]!.id;
  const heirs = new Map<NodeId, number>();
  let orphans = 0;
  for (const [first, second] of placement.values()) {
    if (first !== failed) continue;
    orphans++;
    heirs.set(second!, (heirs.get(second!) ?? 0) + 1);
  }
  const most = Math.max(...heirs.values()) / orphans;
  context.diagnostic(`the busiest heir of a failed node takes ${most.toFixed(2)} of its items, ideal 0.14`);
  assert.ok(most < 0.4, `${most}`);
}

function makeItems(count: number, random: Random, weights: 'equal' | 'mixed' = 'equal'): RoutedItem[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `segment/${random.below(1_000_000_000)}${index}`,
    weight: weights === 'equal' ? 1000 : 1 + random.below(1000),
  }));
}

/** `zones` 0: of unknown zone. Every zone has a node when there are enough. */
function makeNodes(count: number, random: Random, zones = 0): RoutedNode[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `reader-${random.below(1_000_000)}-${index}` as NodeId,
    weight: 1,
    zone: zones === 0 ? '' : `zone-${index % zones}`,
  }));
}

function checkTotal(placement: Placement, items: readonly RoutedItem[], nodes: readonly RoutedNode[]): void {
  assert.deepEqual([...placement.keys()].sort(), items.map((item) => item.key).sort());
  const all = nodes.map((node) => node.id).sort();
  for (const order of placement.values()) assert.deepEqual([...order].sort(), all);
}

function loadsOf(placement: Placement, items: readonly RoutedItem[], copies: number): Map<NodeId, number> {
  const loads = new Map<NodeId, number>();
  for (const { key, weight } of items) {
    for (const id of placement.get(key)!.slice(0, copies)) loads.set(id, (loads.get(id) ?? 0) + weight);
  }
  return loads;
}

function busiest(
  placement: Placement,
  items: readonly RoutedItem[],
  nodes: readonly RoutedNode[],
  copies: number,
): number {
  const total = items.reduce((sum, item) => sum + item.weight, 0) * copies;
  return Math.max(...loadsOf(placement, items, copies).values()) / (total / nodes.length);
}

function movedFraction(before: Placement, after: Placement): number {
  const moved = [...before].filter(([key, order]) => order[0] !== after.get(key)![0]);
  return moved.length / before.size;
}

function sortedEntries(placement: Placement): [string, readonly NodeId[]][] {
  return [...placement].sort(byKey);
}

function byKey(one: readonly [string, unknown], other: readonly [string, unknown]): number {
  return one[0] < other[0] ? -1 : 1;
}

function shuffle<T>(list: readonly T[], random: Random): T[] {
  const shuffled = [...list];
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
  }
  return shuffled;
}
