import { asMishardsError } from '../../errors/index.ts';
import type { WatchEvent } from '../../metastore/metastore.ts';
import type { Discovery, NodeInfo } from '../discovery.ts';
import { NodeList } from '../node-list.ts';
import { NodeRegistry } from './node-registry.ts';
import { Registration, type RegistrationOptions } from './registration.ts';

const PREFIX = 'discovery/nodes/';
/** Between attempts to read the registry anew after the watch was reset. */
const RELOAD_WAIT_MS = 500;

/**
 * A registry of nodes in the metastore: a key for each, held by a lease that its process renews. While the metastore is away
 * the last list stays, and when it is back everybody has the time of a lease to announce itself anew.
 */
export class MetastoreDiscovery implements Discovery {
  readonly driver = 'metastore';
  readonly #options: RegistrationOptions;
  readonly #list = new NodeList();
  readonly #registry: NodeRegistry;
  readonly #registrations = new Set<Registration>();
  #watch: AsyncDisposable | null = null;
  #reload: Disposable | null = null;
  #closed = false;

  /** Reads the registry; rejects with `METASTORE_UNAVAILABLE` when that cannot be done. */
  static async open(options: RegistrationOptions): Promise<MetastoreDiscovery> {
    const discovery = new MetastoreDiscovery(options);
    await discovery.#load();
    return discovery;
  }

  private constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#registry = new NodeRegistry(this.#list, options.host.timers, options.onProblem);
  }

  async register(node: NodeInfo): Promise<AsyncDisposable> {
    const registration = new Registration(`${PREFIX}${node.id}`, node, this.#options);
    await registration.announce();
    this.#registrations.add(registration);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#registrations.delete(registration);
        await registration[Symbol.asyncDispose]();
      },
    };
  }

  nodes(): readonly NodeInfo[] {
    return this.#list.nodes;
  }

  subscribe(listener: (nodes: readonly NodeInfo[]) => void): Disposable {
    return this.#list.subscribe(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#reload?.[Symbol.dispose]();
    this.#registry[Symbol.dispose]();
    await Promise.all([...this.#registrations].map((registration) => registration[Symbol.asyncDispose]()));
    await this.#watch?.[Symbol.asyncDispose]();
  }

  async #load(): Promise<void> {
    const { revision, entries } = await this.#options.metastore.range(PREFIX);
    if (this.#closed) return;
    this.#watch = this.#options.metastore.watch(PREFIX, revision, {
      onEvents: (events) => this.#apply(events),
      onReset: () => void this.#loadAgain(),
    });
    const present = new Set(entries.map((entry) => entry.key));
    const gone = this.#knownKeys().filter((key) => !present.has(key));
    this.#apply([
      ...gone.map((key) => ({ kind: 'delete', key, modRevision: revision }) as const),
      ...entries.map((entry) => ({ kind: 'put', entry }) as const),
    ]);
  }

  #knownKeys(): readonly string[] {
    const registered = [...this.#registrations].map((registration) => registration.key);
    return [...new Set([...this.#registry.keys(), ...registered])];
  }

  #apply(events: readonly WatchEvent[]): void {
    if (this.#closed) return;
    // Registrations first: one that finds itself lost makes the others linger.
    for (const event of events) this.#tellRegistrations(event);
    const isShaken = this.#registrations.values().some((registration) => registration.isShaken);
    const lingerMs = isShaken ? this.#options.leaseTtlMs : 0;
    for (const event of events) {
      if (event.kind === 'put') this.#registry.put(event.entry);
      else this.#registry.remove(event.key, lingerMs);
    }
    this.#registry.publish();
  }

  #tellRegistrations(event: WatchEvent): void {
    const key = event.kind === 'put' ? event.entry.key : event.key;
    for (const registration of this.#registrations) {
      if (registration.key !== key) continue;
      if (event.kind === 'put') registration.onPresent(event.entry.modRevision);
      else registration.onAbsent(event.modRevision);
    }
  }

  /** The list of before stays until the registry could be read. */
  async #loadAgain(): Promise<void> {
    await this.#watch?.[Symbol.asyncDispose]();
    this.#watch = null;
    if (this.#closed) return;
    try {
      await this.#load();
    } catch (error) {
      this.#options.onProblem(asMishardsError(error));
      const waitMs = RELOAD_WAIT_MS * (0.5 + this.#options.host.random.next());
      this.#reload = this.#options.host.timers.after(waitMs, () => void this.#loadAgain());
    }
  }
}
