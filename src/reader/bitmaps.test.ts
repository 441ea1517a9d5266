import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasOnes, intersect, setRows } from './bitmaps.ts';
import { bitAt, newBitmap, setBit } from '../columns/index.ts';
import { SeededRandom } from '../host/index.ts';

test('the intersection of bitmaps, aligned or not, is that of their rows', () => {
  const random = new SeededRandom(11);
  for (let round = 0; round < 200; round++) {
    const rowCount = random.below(200);
    const [a, b] = [0, 1].map(() => {
      const offset = random.below(5);
      const bitmap = new Uint8Array(offset + Math.ceil(rowCount / 8)).subarray(offset);
      for (let row = 0; row < rowCount; row++) if (random.below(2) === 0) setBit(bitmap, row);
      return bitmap;
    }) as [Uint8Array, Uint8Array];
    const both = intersect(a, b)!;
    const expected = Array.from({ length: rowCount }, (_, row) => row).filter(
      (row) => bitAt(a, row) && bitAt(b, row),
    );
    assert.deepEqual([...setRows(both, rowCount)], expected);
    assert.equal(hasOnes(both), expected.length > 0);
  }
});

test('null allows every row', () => {
  const some = Uint8Array.of(0b101);
  assert.equal(intersect(null, null), null);
  assert.equal(intersect(some, null), some);
  assert.equal(intersect(null, some), some);
});

test('rows past the end are not given', () => {
  assert.deepEqual([...setRows(newBitmap(16, 1), 11)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
