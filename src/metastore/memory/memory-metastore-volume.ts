import { unreachable } from '../../util/assert.ts';
import type {
  Compare,
  KeyValue,
  RangeResult,
  Transaction,
  TransactionResult,
  WatchEvent,
} from '../metastore.ts';
import { compareKeys, leaseExpired } from '../metastore-rules.ts';
import { resetReason, type ChangesAfter, type RevisionChanges } from '../watch-set.ts';

interface StoredEntry extends KeyValue {
  readonly leaseId: string | undefined;
}

interface StoredLease {
  expiresMs: number;
  readonly keys: Set<string>;
}

/** What the service keeps, shared by every `MemoryMetastore` opened on it. */
export class MemoryMetastoreVolume {
  readonly #changesMax: number;
  readonly #entries = new Map<string, StoredEntry>();
  readonly #leases = new Map<string, StoredLease>();
  readonly #listeners = new Set<() => void>();
  #changes: RevisionChanges[] = [];
  #revision = 0;
  #compactedRevision = 0;
  #leaseCount = 0;

  /** `changesMax` revisions are kept for watches that fell behind. */
  constructor(changesMax = 4096) {
    this.#changesMax = changesMax;
  }

  get(key: string): KeyValue | null {
    const entry = this.#entries.get(key);
    return entry === undefined ? null : keyValueOf(entry);
  }

  range(prefix: string): RangeResult {
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    entries.sort((a, b) => compareKeys(a.key, b.key));
    return { revision: this.#revision, entries: entries.map(keyValueOf) };
  }

  transact(transaction: Transaction): TransactionResult {
    if (!transaction.compares.every((compare) => this.#holds(compare))) {
      return { succeeded: false, revision: this.#revision };
    }
    for (const write of transaction.then) {
      if (write.kind === 'put' && write.leaseId !== undefined && !this.#leases.has(write.leaseId)) {
        throw leaseExpired(write.leaseId);
      }
    }
    const revision = this.#revision + 1;
    const events: WatchEvent[] = [];
    for (const write of transaction.then) {
      if (write.kind === 'put') events.push(this.#put(write.key, write.value, write.leaseId, revision));
      else if (this.#entries.has(write.key)) events.push(this.#delete(write.key, revision));
    }
    this.#commit(events);
    return { succeeded: true, revision: this.#revision };
  }

  changesAfter(prefix: string, afterRevision: number): ChangesAfter {
    const reason = resetReason(afterRevision, this.#compactedRevision, this.#revision);
    if (reason !== undefined) return { kind: 'reset', reason };
    const changes: RevisionChanges[] = [];
    for (const { revision, events } of this.#changes.slice(afterRevision - this.#compactedRevision)) {
      const matching = events.filter((event) => eventKey(event).startsWith(prefix));
      if (matching.length > 0) changes.push({ revision, events: matching });
    }
    return { kind: 'changes', upTo: this.#revision, changes };
  }

  grantLease(expiresMs: number): string {
    const id = String(++this.#leaseCount);
    this.#leases.set(id, { expiresMs, keys: new Set() });
    return id;
  }

  renewLease(leaseId: string, expiresMs: number): void {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) throw leaseExpired(leaseId);
    lease.expiresMs = expiresMs;
  }

  revokeLease(leaseId: string): void {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) return;
    const revision = this.#revision + 1;
    const events = [...lease.keys].map((key) => this.#delete(key, revision));
    this.#leases.delete(leaseId);
    this.#commit(events);
  }

  /** Ends the leases that expired at or before `nowMs`. */
  expireLeases(nowMs: number): void {
    for (const [leaseId, { expiresMs }] of this.#leases) {
      if (expiresMs <= nowMs) this.revokeLease(leaseId);
    }
  }

  /** `onChange` runs after every revision. */
  listen(onChange: () => void): Disposable {
    this.#listeners.add(onChange);
    return { [Symbol.dispose]: () => void this.#listeners.delete(onChange) };
  }

  #holds(compare: Compare): boolean {
    const entry = this.#entries.get(compare.key);
    switch (compare.kind) {
      case 'mod-revision':
        return (entry?.modRevision ?? 0) === compare.revision;
      case 'value':
        return entry?.value === compare.value;
      case 'absent':
        return entry === undefined;
      case 'exists':
        return entry !== undefined;
      default:
        return unreachable(compare);
    }
  }

  #put(key: string, value: string, leaseId: string | undefined, revision: number): WatchEvent {
    const existing = this.#entries.get(key);
    this.#detach(existing);
    const createRevision = existing?.createRevision ?? revision;
    const entry = { key, value, createRevision, modRevision: revision, leaseId };
    this.#entries.set(key, entry);
    if (leaseId !== undefined) this.#leases.get(leaseId)?.keys.add(key);
    return { kind: 'put', entry: keyValueOf(entry) };
  }

  #delete(key: string, revision: number): WatchEvent {
    this.#detach(this.#entries.get(key));
    this.#entries.delete(key);
    return { kind: 'delete', key, modRevision: revision };
  }

  #detach(entry: StoredEntry | undefined): void {
    if (entry?.leaseId !== undefined) this.#leases.get(entry.leaseId)?.keys.delete(entry.key);
  }

  #commit(events: readonly WatchEvent[]): void {
    if (events.length === 0) return;
    this.#revision++;
    this.#changes.push({ revision: this.#revision, events });
    if (this.#changes.length > this.#changesMax * 1.25) {
      this.#changes = this.#changes.slice(-this.#changesMax);
      this.#compactedRevision = this.#revision - this.#changes.length;
    }
    for (const listener of this.#listeners) listener();
  }
}

function keyValueOf({ key, value, createRevision, modRevision }: StoredEntry): KeyValue {
  return { key, value, createRevision, modRevision };
}

function eventKey(event: WatchEvent): string {
  return event.kind === 'put' ? event.entry.key : event.key;
}
