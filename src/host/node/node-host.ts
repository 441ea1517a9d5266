import { NodeFileSystem } from './node-file-system.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Host } from '../host.ts';
import { SeededRandom } from '../random.ts';
import type { Timers } from '../timers.ts';

export const nodeClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const nodeTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(intervalMs, callback) {
    const timer = setInterval(callback, intervalMs).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
  async sleep(delayMs, signal) {
    signal?.throwIfAborted();
    try {
      await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};

/** The real machine. `seed` fixes the randomness; by default it differs with every process. */
export function createNodeHost(seed: number = (process.pid * 0x9e3779b1) ^ Date.now()): Host {
  return {
    clock: nodeClock,
    random: new SeededRandom(seed),
    timers: nodeTimers,
    files: new NodeFileSystem(),
  };
}
