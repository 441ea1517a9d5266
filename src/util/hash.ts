/** 64 bits as two unsigned 32-bit halves, which JavaScript handles faster than a `bigint`. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

const GOLDEN = 0x9e3779b1;
const PRIME_A = 0x85ebca77;
const PRIME_B = 0xc2b2ae3d;

/**
 * A fast hash of a text's UTF-16 code units: two 32-bit multiply-rotate lanes that start apart and are mixed into each other
 * at the end. The same on every machine and version; what is stored or placed by it depends on that. Not for secrets.
 */
export function hash64(text: string, seed = 0): Hash64 {
  let a = (seed ^ GOLDEN) | 0;
  let b = (Math.imul(seed, PRIME_A) + PRIME_B) | 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, GOLDEN);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ unit, PRIME_A);
    b = (b << 17) | (b >>> 15);
  }
  a = mix32(a ^ text.length);
  b = mix32((b + a) | 0);
  return { high: mix32(a ^ b ^ PRIME_B), low: b };
}

/** The upper 53 of the 64 bits as an integer a `number` holds exactly: a position on a ring of 2^53 points. */
export function hash53(text: string, seed = 0): number {
  const { high, low } = hash64(text, seed);
  return high * 0x20_0000 + (low >>> 11);
}

/** Two hashes into one, order mattering, uniform in [0, 2^53): the score of a pair without building its text. */
export function mix53(one: Hash64, other: Hash64): number {
  const low = mix32(one.low ^ Math.imul(other.high, GOLDEN));
  const high = mix32(one.high ^ Math.imul(other.low ^ low, PRIME_A));
  return high * 0x20_0000 + (low >>> 11);
}

/** Every input bit flips each output bit about half of the time; a bijection of 32 bits (MurmurHash3's finalizer). */
export function mix32(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
