import type { Host } from '../host.ts';
import { SeededRandom } from '../random.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { MemoryFileSystem } from './memory-file-system.ts';
import { SimulatedClock, SimulatedTimers } from './simulated-time.ts';

/** A machine of which nothing is real: time stands until it is advanced, files are in memory, randomness has a seed. */
export interface SimulatedHost extends Host {
  readonly clock: SimulatedClock;
  readonly timers: SimulatedTimers;
  readonly files: MemoryFileSystem;
}

export interface SimulatedHostOptions {
  readonly seed?: number;
  /** Hosts of one simulation share the clock, the timers and, as shared storage, the disk. */
  readonly clock?: SimulatedClock;
  readonly timers?: SimulatedTimers;
  readonly disk?: MemoryDisk;
}

export function createSimulatedHost(options: SimulatedHostOptions = {}): SimulatedHost {
  const clock = options.clock ?? new SimulatedClock();
  const timers = options.timers ?? new SimulatedTimers(clock);
  const disk = options.disk ?? new MemoryDisk({ clock });
  return { clock, timers, random: new SeededRandom(options.seed ?? 1), files: disk.mount() };
}
