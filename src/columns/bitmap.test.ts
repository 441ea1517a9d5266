import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitAt, clearBit, copyBits, countOnes, newBitmap, setBit, setBits } from './bitmap.ts';
import { SeededRandom } from '../host/index.ts';
import { testSeed } from '../../test/support/seed.ts';

const bitsOf = (bitmap: Uint8Array): boolean[] =>
  Array.from({ length: bitmap.length * 8 }, (_, index) => bitAt(bitmap, index));

test('a bitmap of ones has none past its length', () => {
  for (const length of [0, 1, 7, 8, 9, 64]) {
    assert.equal(countOnes(newBitmap(length, 1)), length);
    assert.equal(countOnes(newBitmap(length, 0)), 0);
  }
});

test(`ranges are set and copied as bit by bit, and nothing else changes (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  for (let round = 0; round < 500; round++) {
    const [source, target] = [1, 2].map(() => Uint8Array.from({ length: 8 }, () => random.below(256)));
    const from = random.below(40);
    const at = random.below(3) === 0 ? from & ~7 : random.below(40);
    const length = random.below(25);
    const expected = bitsOf(target!);
    bitsOf(source!).forEach((bit, index) => {
      if (index >= from && index < from + length) expected[at + index - from] = bit;
    });
    copyBits(source!, from, target!, at, length);
    assert.deepEqual(bitsOf(target!), expected);
    for (let index = at; index < at + length; index++) expected[index] = true;
    setBits(target!, at, at + length);
    assert.deepEqual(bitsOf(target!), expected);
    const one = random.below(64);
    clearBit(target!, one);
    assert.equal(bitAt(target!, one), false);
    setBit(target!, one);
    assert.equal(bitAt(target!, one), true);
  }
});
