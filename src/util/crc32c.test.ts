import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from './crc32c.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test('crc32c gives the check values of RFC 3720', () => {
  assert.equal(crc32c(encode('123456789')), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
});

test('crc32c goes on from a seed', () => {
  const bytes = encode('the quick brown fox jumps over the lazy dog');
  assert.equal(crc32c(bytes.subarray(11), crc32c(bytes.subarray(0, 11))), crc32c(bytes));
});
