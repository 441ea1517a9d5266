import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash53, hash64, mix53, type Hash64 } from './hash.ts';

const hex = ({ high, low }: Hash64): string =>
  high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');

test('hash64 keeps its values', () => {
  assert.equal(hex(hash64('')), '589fa9c8e46f9e5d');
  assert.equal(hex(hash64('a')), 'b7d81cab1edde48f');
  assert.equal(hex(hash64('a', 1)), 'c7c3a97760e6c0c4');
  assert.equal(hex(hash64('segment/1')), '217b0e042474c36b');
  assert.equal(hex(hash64('한국어')), '0513475584380b04');
  assert.equal(hash53('segment/1'), 1177996795088536);
  assert.notEqual(mix53(hash64('a'), hash64('b')), mix53(hash64('b'), hash64('a')));
});

test('keys that differ in a counter fill buckets evenly', () => {
  const families: [string, (index: number) => number][] = [
    ['hash53 by key', (index) => hash53(`segment/${index}`)],
    ['hash53 by seed', (index) => hash53('reader-1', index)],
    ['hash53 of long keys', (index) => hash53(`${'x'.repeat(60)}${index}${'y'.repeat(20)}`)],
    [
      'mix53',
      (index) => mix53(hash64(`segment/${index % 317}`), hash64(`reader-${Math.floor(index / 317)}`)),
    ],
  ];
  const buckets = 1_024;
  const samples = 100 * buckets;
  for (const [name, hash] of families) {
    for (const [end, bucketOf] of [
      ['high', (value: number) => Math.floor((value / 2 ** 53) * buckets)],
      ['low', (value: number) => value % buckets],
    ] as const) {
      const counts = new Float64Array(buckets);
      for (let index = 0; index < samples; index++) counts[bucketOf(hash(index))]!++;
      const expected = samples / buckets;
      const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 1 023 degrees of freedom: five standard deviations are 226.
      assert.ok(Math.abs(chiSquare - (buckets - 1)) < 226, `${name}, ${end} bits: chi-square ${chiSquare}`);
    }
  }
});

test('a change of one bit of the text flips half of the bits', () => {
  const flips = new Float64Array(64);
  let trials = 0;
  for (let index = 0; index < 2_000; index++) {
    const text = `collection-${index}/segment`;
    const before = hash64(text);
    for (const position of [0, text.length >> 1, text.length - 1]) {
      const changed =
        text.slice(0, position) +
        String.fromCharCode(text.charCodeAt(position) ^ (1 << (index % 7))) +
        text.slice(position + 1);
      const after = hash64(changed);
      for (let bit = 0; bit < 32; bit++) {
        flips[bit]! += ((before.low ^ after.low) >>> bit) & 1;
        flips[32 + bit]! += ((before.high ^ after.high) >>> bit) & 1;
      }
      trials++;
    }
  }
  for (const [bit, count] of flips.entries()) {
    assert.ok(Math.abs(count / trials - 0.5) < 0.035, `bit ${bit} flips in ${count / trials}`);
  }
});

test('half a million keys have no collision in 64 bits', () => {
  const seen = new Set<bigint>();
  for (let index = 0; index < 500_000; index++) {
    const { high, low } = hash64(`segment/${index}`);
    seen.add((BigInt(high) << 32n) | BigInt(low));
  }
  assert.equal(seen.size, 500_000);
});
