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
  /** When its store last took a lock. */
  readonly renewedMs: number;
}

/**
 * One lock a key between the stores of all processes and hosts on a directory: a file `.locks/<hash of the key>` that a hard
 * link creates, which succeeds for one process only, on NFS too. It is a second name of a file that the store wrote when it
 * opened, whose content names the store and whose modification time every taking of a lock renews: so locking needs no
 * space, and what is to be deleted from a full disk can be.
 *
 * A holder that died is detected by others that see the same content and time for `timeoutMs` of their own monotonic time;
 * they move the file away (a rename succeeds for one of them) and start over. A live holder never relies on a lock older
 * than half of that: `check` throws then, and also when the file no longer names it. What stays possible is a process that
 * freezes between `check` and the rename that follows it for more than half of `timeoutMs`, and no lock without help of the
 * storage can exclude that.
 */
export class KeyLocks {
  readonly #host: Host;
  readonly #directory: string;
  readonly #staging: Staging;
  readonly #timeoutMs: number;
  readonly #queues = new Map<string, Promise<void>>();
  /** The path of this store's file, which is its content, too. */
  #owner: Promise<string> | undefined;

  constructor(host: Host, directory: string, staging: Staging, timeoutMs: number) {
    this.#host = host;
    this.#directory = directory;
    this.#staging = staging;
    this.#timeoutMs = timeoutMs;
  }

  /** Writes the store's file. */
  async open(): Promise<void> {
    await this.#host.files.makeDirectory(this.#directory);
    await this.#ownerFile();
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
      const lock = await this.#take(key);
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

  async #take(key: string): Promise<KeyLock> {
    const { clock } = this.#host;
    const path = `${this.#directory}/${createHash('sha256').update(key).digest('hex').slice(0, 40)}`;
    let takenMs = clock.monotonicMs();
    const giveUpMs = takenMs + 2 * this.#timeoutMs;
    let seen: { readonly holder: Holder; readonly sinceMs: number } | undefined;
    for (let attempt = 0; ; attempt++) {
      const owner = await this.#touchOwner();
      if (await this.#tryLink(owner, path)) return this.#held(key, path, owner, takenMs);
      const holder = await this.#readHolder(path);
      // The answer to the link got lost, or a release failed: callers of this store wait for each other in `acquire`.
      if (holder?.owner === owner) return this.#held(key, path, owner, takenMs);
      const nowMs = clock.monotonicMs();
      const isSame = holder?.owner === seen?.holder.owner && holder?.renewedMs === seen?.holder.renewedMs;
      if (!isSame) seen = holder === undefined ? undefined : { holder, sinceMs: nowMs };
      else if (seen !== undefined && nowMs - seen.sinceMs > this.#timeoutMs)
        await this.#breakLock(path, seen.holder);
      if (nowMs > giveUpMs) throw lockUnavailable(key, this.#timeoutMs);
      await this.#pause(attempt);
      takenMs = clock.monotonicMs();
    }
  }

  #held(key: string, path: string, owner: string, takenMs: number): KeyLock {
    const { files, clock } = this.#host;
    const isSure = async (): Promise<boolean> =>
      clock.monotonicMs() - takenMs < this.#timeoutMs / 2 && (await this.#readHolder(path))?.owner === owner;
    return {
      check: async () => {
        if (!(await isSure())) throw lockUnavailable(key, this.#timeoutMs);
      },
      [Symbol.asyncDispose]: async () => {
        try {
          if (await isSure()) await files.remove(path);
        } catch (error) {
          // What was guarded has succeeded or failed by itself. A lock that stays is broken by whoever needs it.
          if (fileErrorCode(error) === undefined) throw error;
        }
      },
    };
  }

  /** Renews the time of the store's file, and makes the file anew when it was swept away. */
  async #touchOwner(): Promise<string> {
    try {
      const owner = await this.#ownerFile();
      await this.#staging.renew(owner);
      return owner;
    } catch (error) {
      if (fileErrorCode(error) !== 'ENOENT') throw error;
      this.#owner = undefined;
      return await this.#ownerFile();
    }
  }

  async #ownerFile(): Promise<string> {
    this.#owner ??= this.#staging.withPath(async (path) => {
      await this.#host.files.write(path, new TextEncoder().encode(path));
      return path;
    });
    const owner = this.#owner;
    return await owner.catch((error: unknown) => {
      if (this.#owner === owner) this.#owner = undefined;
      throw error;
    });
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

  async #readHolder(path: string): Promise<Holder | undefined> {
    const bytes = await undefinedIfMissing(this.#host.files.read(path));
    const stat = await undefinedIfMissing(this.#host.files.stat(path));
    if (bytes === undefined || stat === undefined) return undefined;
    return { owner: new TextDecoder().decode(bytes), renewedMs: stat.modifiedMs };
  }

  /** Between reading the holder and the rename another waiter may have broken the lock and a third taken it: then it is put back. */
  async #breakLock(path: string, dead: Holder): Promise<void> {
    const { files } = this.#host;
    await this.#staging.withPath(async (away) => {
      await files.rename(path, away).catch(ignoreMissing);
      const moved = await this.#readHolder(away);
      if (moved === undefined) return;
      const isDead = moved.owner === dead.owner && moved.renewedMs === dead.renewedMs;
      if (!isDead) await this.#tryLink(away, path);
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
