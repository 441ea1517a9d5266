import type { Random } from '../../src/host/index.ts';
import type { JsonValue } from '../../src/util/packet.ts';

const LENGTHS = [0, 1, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff];
const SPLICE_BYTES_MAX = 64;
const GROWTH_BYTES_MAX = 256;

/** One of the seeds after one to four changes: flipped bits, lengths, pieces cut, doubled, moved in from another seed. */
export function mutateBytes(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(pick(random, seeds));
  for (let change = 1 + random.below(4); change > 0; change--) bytes = changed(bytes, random, seeds);
  return bytes;
}

function changed(bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.byteLength + 1);
  const length = 1 + random.below(SPLICE_BYTES_MAX);
  switch (random.below(8)) {
    case 0:
    case 1:
      if (at < bytes.byteLength) bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 2:
      if (at < bytes.byteLength) bytes[at] = random.below(256);
      return bytes;
    case 3:
      return withNumber(bytes, at, random);
    case 4:
      return bytes.slice(0, at);
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 6:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at));
    default: {
      const other = pick(random, seeds);
      const from = random.below(other.byteLength + 1);
      const piece = other.subarray(from, from + 1 + random.below(GROWTH_BYTES_MAX));
      return joined(bytes.subarray(0, at), piece, bytes.subarray(at + random.below(2) * piece.byteLength));
    }
  }
}

/** A length that means trouble, as 32 bits where lengths lie. */
function withNumber(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  if (bytes.byteLength < 4) return bytes;
  const offset = Math.min(bytes.byteLength - 4, random.below(3) === 0 ? at : at - (at % 4));
  const own = bytes.byteLength + random.below(5) - 2;
  const value = random.below(4) === 0 ? own : pick(random, LENGTHS);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, value, true);
  return bytes;
}

const VALUES: readonly (JsonValue | undefined)[] = [
  ...[undefined, null, true, 0, -1, 1.5, 2 ** 53, 1e308, '', '0', '-1', '99999999999999999999999'],
  ...['__proto__', 'constructor', '\ud800', [], {}, [null], [[]], { type: 'Int64' }],
];

/** A JSON value after one to three changes: a value replaced, left out or moved in from another place. */
export function mutateJson(random: Random, value: JsonValue, others: readonly JsonValue[]): JsonValue {
  let mutated = value;
  for (let change = 1 + random.below(3); change > 0; change--) {
    mutated = replaceSomewhere(mutated, random, others) ?? null;
  }
  return mutated;
}

function replaceSomewhere(
  value: JsonValue,
  random: Random,
  others: readonly JsonValue[],
): JsonValue | undefined {
  const isLeaf = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (isLeaf || random.below(6) === 0) {
    return random.below(3) > 0 ? pick(random, VALUES) : someValue(pick(random, others), random);
  }
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    const index = random.below(items.length);
    if (random.below(8) === 0) return [...items, items[index]!];
    if (random.below(8) === 0) return items.toSpliced(index, 1);
    return items.with(index, replaceSomewhere(items[index]!, random, others) ?? null);
  }
  const fields = value as { readonly [key: string]: JsonValue | undefined };
  const key = pick(random, Object.keys(fields));
  return { ...fields, [key]: replaceSomewhere(fields[key] ?? null, random, others) };
}

function someValue(value: JsonValue, random: Random): JsonValue {
  if (typeof value !== 'object' || value === null || random.below(4) === 0) return value;
  const inner = Object.values(value) as JsonValue[];
  return inner.length === 0 ? value : someValue(pick(random, inner) ?? null, random);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}
