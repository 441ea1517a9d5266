import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSeed } from '../../../test/support/seed.ts';
import { SeededRandom, type Random } from '../../host/random.ts';
import { BytesSet } from './bytes-set.ts';
import { Int64Set } from './int64-set.ts';
import { IntegerSet } from './integer-set.ts';

const SIZES = [0, 1, 2, 3, 8, 100, 5000];

function int32(random: Random): number {
  return random.below(2 ** 32) - 2 ** 31;
}

test(`sets hold what they were given and nothing else (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  for (const size of SIZES) {
    for (const spread of [10, 2 ** 19, 2 ** 32]) {
      const values = Array.from({ length: size }, () => random.below(spread) - Math.floor(spread / 2));
      const probes = [
        ...values,
        ...Array.from({ length: 1000 }, () => random.below(spread) - Math.floor(spread / 2)),
      ];
      checkIntegers(values, [...probes, -(2 ** 31), 2 ** 31 - 1, 0, -1]);
      checkInt64(values, probes);
      checkStrings(values, probes);
    }
  }
});

function checkIntegers(values: readonly number[], probes: readonly number[]): void {
  const [set, expected] = [new IntegerSet(values), new Set(values)];
  assert.equal(set.size, expected.size);
  assert.deepEqual(set.values(), [...expected]);
  for (const probe of probes)
    assert.equal(set.has(probe), expected.has(probe), `${probe} among ${values.length}`);
}

/** Values that differ in one half only are the ones a bad lookup mixes up. */
function checkInt64(values: readonly number[], probes: readonly number[]): void {
  const wide = (value: number): bigint => BigInt.asIntN(64, BigInt(value) << (BigInt(value & 1) * 32n));
  const [set, expected] = [new Int64Set(values.map(wide)), new Set(values.map(wide))];
  assert.equal(set.size, expected.size);
  assert.deepEqual(set.values(), [...expected]);
  for (const probe of probes.map(wide)) {
    const [low, high] = new Int32Array(BigInt64Array.of(probe).buffer);
    assert.equal(set.has(low!, high!), expected.has(probe), `${probe} among ${values.length}`);
  }
}

function checkStrings(values: readonly number[], probes: readonly number[]): void {
  const word = (value: number): string => 'é😀x'.repeat(value & 3) + String(value);
  const [set, expected] = [new BytesSet(values.map(word)), new Set(values.map(word))];
  assert.equal(set.size, expected.size);
  assert.deepEqual(set.values(), [...expected]);
  for (const probe of probes.map(word)) {
    const bytes = Buffer.from(`..${probe}..`);
    assert.equal(set.has(bytes, 2, bytes.length - 2), expected.has(probe), probe);
  }
}

test(`a set of integers far apart still finds them (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed).fork('far');
  const values = Array.from({ length: 1000 }, () => int32(random));
  checkIntegers(values, [...values, ...Array.from({ length: 1000 }, () => int32(random))]);
});

test('an empty set of integers takes no memory to speak of', () => {
  const before = process.memoryUsage().arrayBuffers;
  const sets = Array.from({ length: 10 }, () => new IntegerSet([]));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
  assert.ok(sets.every((set) => set.size === 0 && !set.has(0)));
});
