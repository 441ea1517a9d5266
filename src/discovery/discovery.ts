import type { MishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Metastore } from '../metastore/metastore.ts';
import type { NodeId } from '../schema/index.ts';

export const ROLES = ['proxy', 'reader', 'writer'] as const;
export type Role = (typeof ROLES)[number];

/** A process as others see it. */
export interface NodeInfo {
  readonly id: NodeId;
  readonly role: Role;
  /** Where its wire listens: `tcp://host:port`, `unix:///path`, `memory://name`. */
  readonly address: string;
  /** Relative capacity; 1 is usual. */
  readonly weight: number;
  /** Failure zone, or '' . */
  readonly zone: string;
  readonly version: string;
  /** Distinguishes a restarted process from the one before it. */
  readonly startedMs: number;
  /** For people: management address, pid and the like. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What a driver is made from. */
export interface DiscoveryContext {
  /** The driver's own options, as configured. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly host: Host;
  readonly metastore: Metastore;
  /** For what an operator should read in the log and what needs no other answer: a malformed entry, a source that is away. */
  onProblem(error: MishardsError): void;
}

/**
 * Who is there. Third-party drivers load by module path (`type: "npm:@acme/discovery"`, or a file path) and export
 * `createDiscovery(context: DiscoveryContext): Promise<Discovery>`.
 */
export interface Discovery extends AsyncDisposable {
  readonly driver: string;
  /** Announces this process until the registration is disposed. A static driver accepts only nodes it lists. */
  register(node: NodeInfo): Promise<AsyncDisposable>;
  /** The nodes known now, by id ascending; the same array until something changes. */
  nodes(): readonly NodeInfo[];
  /** Calls back after each change with the new list, until disposed. When the source is away the last list stays. */
  subscribe(listener: (nodes: readonly NodeInfo[]) => void): Disposable;
}
