import { fileErrorCode, type Host } from '../host/index.ts';
import type { Logger } from '../telemetry/logger.ts';

/** In each cache directory: whose it is. Its modification time is set again and again while that process lives. */
export const OWNER_FILE = 'owner.json';
const TAKEN_PREFIX = '.abandoned-';

export interface AbandonedCachesOptions {
  readonly host: Pick<Host, 'clock' | 'files' | 'random'>;
  /** Where each node of this machine, or of all when it is shared, has a directory by its id. */
  readonly root: string;
  readonly nodeId: string;
  readonly process: OwnProcess;
  /** Whether a node of this id is known to live, by whatever else. */
  readonly isKnown: (nodeId: string) => boolean;
  /** Of no sign of life, watched by this process, before a directory goes. */
  readonly abandonedAfterMs: number;
  readonly logger: Logger;
}

/** This process, and how to see that another of the same machine is there still. */
export interface OwnProcess {
  readonly machine: string;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
}

interface Owner {
  readonly machine: string;
  readonly pid: number;
  /** Of this run, so that one that comes again under its id is told from the last. */
  readonly run: string;
}

/** What a directory showed, and since when. */
interface Watched {
  readonly sign: string;
  readonly sinceMs: number;
}

/**
 * Keeps a sign of life in a node's own cache directory, and removes those of nodes that never come back. A directory goes when it
 * has an owner's file, the owner's node is not known, its process is not alive on this machine, and its sign of life has not
 * changed for a time that this process has watched it on its own clock: no clocks are compared. Others are never touched.
 */
export class AbandonedCaches {
  readonly #options: AbandonedCachesOptions;
  readonly #run: string;
  /** The last sign of each directory of others, and when it was first seen. */
  #watched = new Map<string, Watched>();

  constructor(options: AbandonedCachesOptions) {
    this.#options = options;
    this.#run = String(options.host.random.below(2 ** 32));
  }

  /** Of this node. */
  get directory(): string {
    return this.#pathOf(this.#options.nodeId);
  }

  /** Takes the directory of this node for this run. */
  async claim(): Promise<void> {
    const { host, process } = this.#options;
    const { machine, pid } = process;
    const owner: Owner = { machine, pid, run: this.#run };
    const bytes = new TextEncoder().encode(`${JSON.stringify(owner)}\n`);
    await host.files.writeAtomic(`${this.directory}/${OWNER_FILE}`, bytes);
  }

  /** Gives the sign of life. False when the directory was taken away. It needs no space on the disk. */
  async beat(): Promise<boolean> {
    const { host } = this.#options;
    try {
      await host.files.setModified(`${this.directory}/${OWNER_FILE}`, host.clock.nowMs());
      return true;
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Looks at the directories of others, and removes those that have been watched for long enough. */
  async look(): Promise<void> {
    const { host, root, nodeId, logger } = this.#options;
    const nowMs = host.clock.monotonicMs();
    const before = this.#watched;
    this.#watched = new Map();
    for (const { name, isDirectory } of await host.files.scan(root)) {
      if (!isDirectory || name === nodeId) continue;
      // One that cannot be read must not keep the others.
      await this.#lookAt(name, before.get(name), nowMs).catch((error: unknown) =>
        logger.warn({ error, directory: this.#pathOf(name) }, 'a segment cache cannot be looked at'),
      );
    }
  }

  async #lookAt(name: string, known: Watched | undefined, nowMs: number): Promise<void> {
    const sign = await this.#signOfLifeless(name);
    if (sign === null) return;
    const watched = known?.sign === sign ? known : { sign, sinceMs: nowMs };
    if (nowMs - watched.sinceMs >= this.#options.abandonedAfterMs) await this.#remove(name, sign);
    else this.#watched.set(name, watched);
  }

  /** null = it is not for us to remove. */
  async #signOfLifeless(name: string): Promise<string | null> {
    const { isKnown, process } = this.#options;
    if (isKnown(name)) return null;
    const found = await this.#ownerOf(name);
    if (found === null) return null;
    const { owner, sign } = found;
    return owner.machine === process.machine && process.isAlive(owner.pid) ? null : sign;
  }

  async #ownerOf(name: string): Promise<{ readonly owner: Owner; readonly sign: string } | null> {
    const { files } = this.#options.host;
    const path = `${this.#pathOf(name)}/${OWNER_FILE}`;
    try {
      const { modifiedMs } = await files.stat(path);
      const owner = asOwner(new TextDecoder().decode(await files.read(path)));
      return owner === null ? null : { owner, sign: `${owner.run} ${modifiedMs}` };
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** Taken aside first, in one step, and given back to a node that has come again in between. */
  async #remove(name: string, sign: string): Promise<void> {
    const { host, logger } = this.#options;
    const { files } = host;
    const aside = name.startsWith(TAKEN_PREFIX) ? name : `${TAKEN_PREFIX}${name}`;
    if (aside !== name) {
      await files.rename(this.#pathOf(name), this.#pathOf(aside));
      if ((await this.#ownerOf(aside))?.sign !== sign) {
        await files.rename(this.#pathOf(aside), this.#pathOf(name));
        return;
      }
    }
    await files.removeTree(this.#pathOf(aside));
    logger.info({ directory: this.#pathOf(name) }, 'the cache of a node that has not come back was removed');
  }

  #pathOf(name: string): string {
    return `${this.#options.root}/${name}`;
  }
}

/** null = it is of another form, so it is nobody's we know. */
function asOwner(text: string): Owner | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { machine, pid, run } = value as Record<string, unknown>;
  const isOwner = typeof machine === 'string' && typeof pid === 'number' && typeof run === 'string';
  return isOwner ? { machine, pid, run } : null;
}
