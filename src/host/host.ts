import type { Clock } from './clock.ts';
import type { FileSystem } from './file-system.ts';
import type { Random } from './random.ts';
import type { Timers } from './timers.ts';

/** What the machine gives to a component. Passed down whole or in slices; nothing reaches around it. */
export interface Host {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly files: FileSystem;
}
