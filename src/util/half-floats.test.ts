import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstNotFinite, toBfloat16, toFloat16 } from './half-floats.ts';

const hex = (bits: Uint16Array): string[] => Array.from(bits, (word) => word.toString(16));

test('floats are rounded to the nearest half, ties to even', () => {
  assert.deepEqual(hex(toFloat16(Float32Array.of(1, -2, 65_504, 2 ** -24, 1 + 2 ** -11, 1 + 3 * 2 ** -11))), [
    '3c00',
    'c000',
    '7bff',
    '1',
    '3c00',
    '3c02',
  ]);
  assert.deepEqual(hex(toFloat16(Float32Array.of(65_520, NaN))), ['7c00', '7e00']);
});

test('floats are rounded to the nearest bfloat16, ties to even', () => {
  const values = Float32Array.of(1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20);
  assert.deepEqual(hex(toBfloat16(values)), ['3f80', 'c000', '3f80', '3f82', '3f81']);
  const bits = new Uint32Array([0x7fff_ffff, 0x7f7f_ffff]);
  assert.deepEqual(hex(toBfloat16(new Float32Array(bits.buffer))), ['7fc0', '7f80']);
});

test('infinities and NaN are found', () => {
  assert.equal(firstNotFinite(toFloat16(Float32Array.of(1, 65_504, -65_504)), 'float16'), -1);
  assert.equal(firstNotFinite(toFloat16(Float32Array.of(1, -Infinity)), 'float16'), 1);
  assert.equal(firstNotFinite(toFloat16(Float32Array.of(NaN, 1)), 'float16'), 0);
  assert.equal(firstNotFinite(toBfloat16(Float32Array.of(1, 3e38, NaN)), 'bfloat16'), 2);
  assert.equal(firstNotFinite(toBfloat16(Float32Array.of(1, 3e38)), 'bfloat16'), -1);
});
