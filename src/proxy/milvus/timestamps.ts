import type { Clock } from '../../host/index.ts';

const LOGICAL_BITS = 18n;

/** A hybrid timestamp of now, as Milvus's: milliseconds << 18. */
export function hybridNow(clock: Clock): bigint {
  return BigInt(Math.floor(clock.nowMs())) << LOGICAL_BITS;
}

/** Milliseconds since the epoch of a hybrid timestamp. */
export function physicalMs(hybrid: bigint): bigint {
  return hybrid >> LOGICAL_BITS;
}
