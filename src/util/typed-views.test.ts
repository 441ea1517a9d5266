import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, viewAs } from './typed-views.ts';

test('aligned bytes are seen in place, others are copied once, also of Node buffers', () => {
  const values = Float32Array.of(1, 2.5, -3);
  assert.equal(viewAs(Float32Array, bytesOf(values)).buffer, values.buffer);
  const shifted = Buffer.alloc(13);
  shifted.set(bytesOf(values), 1);
  for (const bytes of [shifted.subarray(1), new Uint8Array(shifted.buffer, shifted.byteOffset + 1, 12)]) {
    assert.deepEqual(viewAs(Float32Array, bytes), values);
  }
});

test('bytes that are no whole number of values are refused', () => {
  assert.throws(() => viewAs(Float64Array, new Uint8Array(12)), {
    code: 'CORRUPT_DATA',
    message: /^12 bytes/,
  });
});
