import { createHash } from 'node:crypto';
import { MishardsError } from '../../errors/index.ts';
import { fileErrorCode, type Host } from '../../host/index.ts';
import { ignoreMissing, undefinedIfMissing, type Staging } from './staging.ts';

const WAIT_MIN_MS = 1;
const WAIT_MAX_MS = 50;

/** Held until disposed. */
export interface KeyLock extends AsyncDisposable {
  /** Throws `STORAGE_UNAVAILABLE` when the lock may have gone to somebody else: call it just before the guarded step. */
  check(): Promise<void>;
}

interface Holder {
  readonly owner: string;
  readonly sinceMs: number;
}

/**
 * One lock a key between the stores of all processes and hosts on a directory: a file `.locks/<hash of the key>` that a hard
 * link creates, which succeeds for one process only, on NFS too. Its content names the holder.
 *
 * A holder that died is detected by others that see the same holder for `timeoutMs` of their own monotonic time; they move
 * the file away (a rename succeeds for one of them) and start over. A live holder never relies on a lock older than half of
 * that: `check` throws then, and also when the file no longer names it. What stays possible is a process that freezes
 * between `check` and the rename that follows it for more than half of `timeoutMs`, and no lock without help of the storage
 * can exclude that.
 */
export class KeyLocks {
  readonly #host: Host;
  readonly #directory: string;
  readonly #staging: Staging;
  readonly #timeoutMs: number;
  readonly #queues = new Map<string, Promise<void>>();
  #count = 0;

  constructor(host: Host, directory: string, staging: Staging, timeoutMs: number) {
    this.#host = host;
    this.#directory = directory;
    this.#staging = staging;
    this.#timeoutMs = timeoutMs;
  }

  /** Waits its turn, first among this store's callers, then among processes. */
  async acquire(key: string): Promise<KeyLock> {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const before = this.#queues.get(key);
    const tail = (before ?? Promise.resolve()).then(() => released);
    this.#queues.set(key, tail);
    const leave = (): void => {
      release();
      if (this.#queues.get(key) === tail) this.#queues.delete(key);
    };
    await before;
    try {
      const lock = await this.#staging.withPath((path) => this.#take(key, path));
      return {
        check: lock.check,
        [Symbol.asyncDispose]: async () => {
          try {
            await lock[Symbol.asyncDispose]();
          } finally {
            leave();
          }
        },
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #take(key: string, staged: string): Promise<KeyLock> {
    const { files, clock } = this.#host;
    const owner = `${staged}#${this.#count++}`;
    const path = `${this.#directory}/${createHash('sha256').update(key).digest('hex').slice(0, 40)}`;
    await files.write(staged, new TextEncoder().encode(owner));
    try {
      let takenMs = clock.monotonicMs();
      let seen: Holder | undefined;
      const giveUpMs = takenMs + 2 * this.#timeoutMs;
      for (let attempt = 0; !(await this.#tryLink(staged, path)); attempt++) {
        const holder = await this.#readOwner(path);
        if (holder === owner) break;
        if (holder !== seen?.owner) {
          seen = holder === undefined ? undefined : { owner: holder, sinceMs: clock.monotonicMs() };
        } else if (seen !== undefined && clock.monotonicMs() - seen.sinceMs > this.#timeoutMs) {
          await this.#breakLock(path, seen.owner);
        }
        if (clock.monotonicMs() > giveUpMs) throw lockUnavailable(key, this.#timeoutMs);
        await this.#pause(attempt);
        takenMs = clock.monotonicMs();
      }
      return this.#held(key, path, owner, takenMs);
    } finally {
      await this.#staging.discard(staged);
    }
  }

  #held(key: string, path: string, owner: string, takenMs: number): KeyLock {
    const { files, clock } = this.#host;
    const isSure = async (): Promise<boolean> =>
      clock.monotonicMs() - takenMs < this.#timeoutMs / 2 && (await this.#readOwner(path)) === owner;
    return {
      check: async () => {
        if (!(await isSure())) throw lockUnavailable(key, this.#timeoutMs);
      },
      [Symbol.asyncDispose]: async () => {
        if (await isSure()) await files.remove(path).catch(ignoreMissing);
      },
    };
  }

  /** False when the lock is held. Puts the directory back when somebody removed it. */
  async #tryLink(staged: string, path: string): Promise<boolean> {
    const { files } = this.#host;
    const link = (): Promise<boolean> => files.link(staged, path).then(() => true);
    try {
      return await link().catch(async (error: unknown) => {
        if (fileErrorCode(error) !== 'ENOENT') throw error;
        await files.makeDirectory(this.#directory);
        return await link();
      });
    } catch (error) {
      if (fileErrorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  async #readOwner(path: string): Promise<string | undefined> {
    const bytes = await undefinedIfMissing(this.#host.files.read(path));
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** Between reading the holder and the rename another waiter may have broken the lock and a third taken it: then it is put back. */
  async #breakLock(path: string, deadOwner: string): Promise<void> {
    const { files } = this.#host;
    await this.#staging.withPath(async (away) => {
      await files.rename(path, away).catch(ignoreMissing);
      const moved = await this.#readOwner(away);
      if (moved === undefined) return;
      if (moved !== deadOwner) await this.#tryLink(away, path);
      await this.#staging.discard(away);
    });
  }

  async #pause(attempt: number): Promise<void> {
    const ceilingMs = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(attempt, 10));
    await this.#host.timers.sleep(WAIT_MIN_MS + this.#host.random.next() * ceilingMs);
  }
}

function lockUnavailable(key: string, timeoutMs: number): MishardsError {
  return new MishardsError(
    'STORAGE_UNAVAILABLE',
    `the lock of the object "${key}" could not be held within ${timeoutMs} ms; storage is slow or the key is contended`,
  );
}
