import { asMishardsError, type MishardsError } from '../../errors/index.ts';
import type { Timers } from '../../host/index.ts';
import type { KeyValue } from '../../metastore/metastore.ts';
import type { NodeInfo } from '../discovery.ts';
import { checkNodeInfo } from '../node-info.ts';
import type { NodeList } from '../node-list.ts';

/**
 * The entries as last read. One that goes may linger: after an outage of the metastore all leases have expired at once, and
 * a list that was empty until everybody has announced itself anew would stop a cluster that is well.
 */
export class NodeRegistry implements Disposable {
  readonly #list: NodeList;
  readonly #timers: Timers;
  readonly #onProblem: (error: MishardsError) => void;
  readonly #entries = new Map<string, NodeInfo>();
  readonly #lingering = new Map<string, Disposable>();

  constructor(list: NodeList, timers: Timers, onProblem: (error: MishardsError) => void) {
    this.#list = list;
    this.#timers = timers;
    this.#onProblem = onProblem;
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  put({ key, value }: KeyValue): void {
    this.#endLingering(key);
    try {
      this.#entries.set(key, checkNodeInfo(JSON.parse(value)));
    } catch (error) {
      this.#entries.delete(key);
      this.#onProblem(asMishardsError(error));
    }
  }

  /** `lingerMs` 0 removes it now. */
  remove(key: string, lingerMs: number): void {
    if (!this.#entries.has(key) || this.#lingering.has(key)) return;
    if (lingerMs === 0) {
      this.#entries.delete(key);
      return;
    }
    const timer = this.#timers.after(lingerMs, () => {
      this.#lingering.delete(key);
      this.#entries.delete(key);
      this.publish();
    });
    this.#lingering.set(key, timer);
  }

  publish(): void {
    this.#list.replace(this.#entries.values());
  }

  [Symbol.dispose](): void {
    for (const key of [...this.#lingering.keys()]) this.#endLingering(key);
  }

  #endLingering(key: string): void {
    this.#lingering.get(key)?.[Symbol.dispose]();
    this.#lingering.delete(key);
  }
}
