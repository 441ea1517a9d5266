import { setImmediate as settle } from 'node:timers/promises';
import type { Random } from '../../src/host/index.ts';
import type { FileIntercept } from '../../src/host/simulated/index.ts';

/**
 * Runs the file operations of several simulated processes one at a time, in an order drawn from a seed: what can happen
 * between any two operations of one process, some seed makes happen.
 */
export class Interleaving {
  readonly #random: Random;
  readonly #held: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** For the `intercept` of each process. */
  readonly intercept: FileIntercept = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push(resolve);
    return promise;
  };

  /** Lets operations go, one by one, until all `tasks` settle. `whenIdle` is called when they wait for something else. */
  async run(tasks: readonly Promise<unknown>[], whenIdle?: () => Promise<void>): Promise<void> {
    let isDone = false;
    const all = Promise.allSettled(tasks).then((results) => {
      isDone = true;
      return results;
    });
    for (let idle = 0; ;) {
      await settle();
      if (isDone) break;
      const [next] = this.#held.splice(this.#random.below(Math.max(1, this.#held.length)), 1);
      if (next !== undefined) {
        idle = 0;
        next();
        continue;
      }
      if (whenIdle === undefined || idle++ > 100_000)
        throw new Error('the tasks wait for something that does not come');
      await whenIdle();
    }
    for (const result of await all) if (result.status === 'rejected') throw result.reason;
  }
}
