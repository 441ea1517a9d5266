import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoxTree, HILBERT_SIDE, hilbertCode, NUMBERS_PER_BOX, setBox, type GeometryBounds } from './index.ts';
import { meet } from './bounds.ts';
import { testSeed } from '../../test/support/seed.ts';
import { SeededRandom, type Random } from '../host/index.ts';

function randomBox(random: Random): GeometryBounds {
  const [lowX, lowY] = [random.next() * 100, random.next() * 100];
  return { lowX, lowY, highX: lowX + random.below(3) * random.next(), highY: lowY + random.below(9) };
}

function stored(boxes: readonly GeometryBounds[]): Float32Array {
  const leaves = new Float32Array(boxes.length * NUMBERS_PER_BOX);
  for (const [index, box] of boxes.entries()) setBox(leaves, index, box);
  return leaves;
}

test(`a tree finds the boxes that each of them would tell (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  for (const count of [0, 1, 2, 16, 17, 256, 257, 1_000, 5_000]) {
    const boxes = Array.from({ length: count }, () => randomBox(random));
    const tree = new BoxTree(stored(boxes));
    for (let round = 0; round < 20; round++) {
      const window = randomBox(random);
      const expected = [...boxes.keys()].filter((index) => meet(boxes[index]!, window));
      const found = tree.search((box) => meet(box, window), count)!;
      // Those that only just do not meet may be found as well.
      const sides = Object.values(window);
      const isClose = (index: number): boolean =>
        Object.values(boxes[index]!).some((side) => sides.some((other) => Math.abs(side - other) < 1e-4));
      assert.deepEqual(
        [...found].filter((index) => expected.includes(index) || !isClose(index)),
        expected,
      );
      const first = expected[0];
      if (first !== undefined)
        assert.equal(
          tree.search((box) => meet(box, window), found.length - 1),
          null,
        );
    }
    assert.equal(tree.search(() => true, count)?.length, count);
  }
});

test('of ordered boxes most are never looked at', () => {
  const boxes = Array.from({ length: 4_096 }, (_, index) => {
    return { lowX: index, lowY: 0, highX: index, highY: 0 };
  });
  let looks = 0;
  const found = new BoxTree(stored(boxes)).search((box) => {
    looks++;
    return box.lowX <= 1_000 && box.highX >= 1_000;
  }, 10);
  assert.deepEqual([...found!], [1_000]);
  assert.ok(looks <= 3 * 16, `${looks} looks`);
});

test(`boxes of 32 bits hold what they are of, and little more (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  const edges = [0, -0, 1e-320, -1e-320, 5e-324, 0.1, -0.1, 3.5e38, -3.5e38, 1e300, -1e300];
  const numbers = [
    ...edges,
    ...Array.from({ length: 2_000 }, () => (random.next() - 0.5) * 10 ** random.below(40)),
  ];
  for (const number of numbers) {
    const box = stored([{ lowX: number, lowY: number, highX: number, highY: number }]);
    const [low, , high] = box as unknown as [number, number, number];
    assert.ok(low <= number && number <= high, `${low} <= ${number} <= ${high}`);
    const isHeld = Math.fround(number) === number;
    assert.ok(
      isHeld ? low === high : low < high && (low === Math.fround(number) || high === Math.fround(number)),
    );
  }
});

test("Hilbert's curve goes through every place, from neighbour to neighbour", () => {
  const side = 32;
  const places = Array.from({ length: side * side }, (_, at) => [at % side, Math.floor(at / side)] as const);
  const along = places.toSorted(([x1, y1], [x2, y2]) => hilbertCode(x1, y1) - hilbertCode(x2, y2));
  for (const [at, [x, y]] of along.entries()) {
    assert.equal(hilbertCode(x, y), at);
    if (at === 0) continue;
    const [beforeX, beforeY] = along[at - 1]!;
    assert.equal(Math.abs(x - beforeX) + Math.abs(y - beforeY), 1);
  }
  const last = HILBERT_SIDE - 1;
  assert.deepEqual([hilbertCode(0, 0), hilbertCode(last, 0)], [0, 2 ** 32 - 1]);
});
