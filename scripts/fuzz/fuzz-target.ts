import type { Random } from '../../src/host/index.ts';

/** One reader of bytes from outside. */
export interface FuzzTarget {
  /** Valid inputs to start from; the same for the same `random`. */
  seeds(random: Random): Promise<readonly Uint8Array[]> | readonly Uint8Array[];
  /** Makes an input from the seeds; absent = `mutateBytes`. */
  mutate?(random: Random, seeds: readonly Uint8Array[]): Uint8Array;
  /**
   * Reads the input. A `MishardsError` says that it was refused, a return that it was taken; whatever else is thrown is a
   * finding. Checks itself that what was taken is right.
   */
  run(input: Uint8Array, random: Random): Promise<void> | void;
}
