import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { unreachable } from '../../util/assert.ts';
import type { Compare, KeyValue, WatchEvent, Write } from '../metastore.ts';
import { leaseExpired, prefixEnd } from '../metastore-rules.ts';
import type { RevisionChanges } from '../watch-set.ts';

interface EntryRow {
  readonly key: string;
  readonly value: string;
  readonly create_revision: number;
  readonly mod_revision: number;
}

interface ChangeRow {
  readonly revision: number;
  readonly key: string;
  readonly value: string | null;
  readonly create_revision: number | null;
}

export interface StoreState {
  readonly revision: number;
  readonly compacted_revision: number;
}

/** Statements on the tables. Every method runs inside a transaction its caller has begun. */
export class SqliteTables {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  state(): StoreState {
    return this.#sql('SELECT revision, compacted_revision FROM state').get() as unknown as StoreState;
  }

  get(key: string): KeyValue | null {
    const row = this.#sql('SELECT key, value, create_revision, mod_revision FROM entries WHERE key = ?').get(
      key,
    );
    return row === undefined ? null : keyValueOf(row as unknown as EntryRow);
  }

  range(prefix: string): KeyValue[] {
    const select = 'SELECT key, value, create_revision, mod_revision FROM entries';
    return this.#underPrefix(select, prefix, 'ORDER BY key').map((row) => keyValueOf(row as EntryRow));
  }

  changesAfter(prefix: string, afterRevision: number): RevisionChanges[] {
    const select = `SELECT revision, key, value, create_revision FROM changes`;
    const rows = this.#underPrefix(
      select,
      prefix,
      'AND revision > ? ORDER BY revision, position',
      afterRevision,
    );
    const changes: { revision: number; events: WatchEvent[] }[] = [];
    for (const row of rows as ChangeRow[]) {
      if (changes.at(-1)?.revision !== row.revision) changes.push({ revision: row.revision, events: [] });
      changes.at(-1)!.events.push(eventOf(row));
    }
    return changes;
  }

  holds(compare: Compare): boolean {
    const entry = this.get(compare.key);
    switch (compare.kind) {
      case 'mod-revision':
        return (entry?.modRevision ?? 0) === compare.revision;
      case 'value':
        return entry?.value === compare.value;
      case 'absent':
        return entry === null;
      case 'exists':
        return entry !== null;
      default:
        return unreachable(compare);
    }
  }

  /** Writes as revision `revision`; gives how many keys changed. */
  apply(writes: readonly Write[], revision: number): number {
    let position = 0;
    for (const write of writes) {
      if (write.kind === 'put') this.#put(write, revision, position++);
      else if (this.#delete(write.key, revision, position)) position++;
    }
    if (position > 0) this.#sql('UPDATE state SET revision = ?').run(revision);
    return position;
  }

  grantLease(expiresMs: number): string {
    return String(this.#sql('INSERT INTO leases (expires_ms) VALUES (?)').run(expiresMs).lastInsertRowid);
  }

  /** False when it expired at or before `nowMs`. */
  renewLease(leaseId: string, nowMs: number, expiresMs: number): boolean {
    const update = this.#sql('UPDATE leases SET expires_ms = ? WHERE id = ? AND expires_ms > ?');
    return update.run(expiresMs, Number(leaseId), nowMs).changes === 1;
  }

  /** Ends leases; their keys vanish as one revision. Gives how many keys did. */
  endLeases(leaseIds: readonly number[]): number {
    const writes: Write[] = [];
    for (const id of leaseIds) {
      const keys = this.#sql('SELECT key FROM entries WHERE lease_id = ? ORDER BY key').all(id);
      for (const { key } of keys as { key: string }[]) writes.push({ kind: 'delete', key });
      this.#sql('DELETE FROM leases WHERE id = ?').run(id);
    }
    return this.apply(writes, this.state().revision + 1);
  }

  expiredLeases(nowMs: number): number[] {
    const rows = this.#sql('SELECT id FROM leases WHERE expires_ms <= ? ORDER BY id').all(nowMs);
    return (rows as { id: number }[]).map(({ id }) => id);
  }

  nextExpiryMs(): number {
    const row = this.#sql('SELECT min(expires_ms) AS next FROM leases').get() as { next: number | null };
    return row.next ?? Number.POSITIVE_INFINITY;
  }

  /** Bytes of the kept changes; the last revision up to which they would have to go to leave `bytesMax`, or 0. */
  revisionAboveBytes(bytesMax: number): number {
    const row = this.#sql(
      `SELECT max(revision) AS revision FROM (
         SELECT revision, sum(octet_length(key) + coalesce(octet_length(value), 0))
           OVER (ORDER BY revision DESC, position DESC) AS total FROM changes
       ) WHERE total > ?`,
    ).get(bytesMax) as { revision: number | null };
    return row.revision ?? 0;
  }

  compact(upToRevision: number): void {
    this.#sql('DELETE FROM changes WHERE revision <= ?').run(upToRevision);
    this.#sql('UPDATE state SET compacted_revision = ?').run(upToRevision);
  }

  #put(write: Extract<Write, { kind: 'put' }>, revision: number, position: number): void {
    const { key, value, leaseId } = write;
    if (leaseId !== undefined && !this.#hasLease(leaseId)) throw leaseExpired(leaseId);
    const createRevision = this.get(key)?.createRevision ?? revision;
    this.#sql(
      `INSERT INTO entries (key, value, create_revision, mod_revision, lease_id) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, mod_revision = excluded.mod_revision,
         lease_id = excluded.lease_id`,
    ).run(key, value, createRevision, revision, leaseId === undefined ? null : Number(leaseId));
    this.#log(revision, position, key, value, createRevision);
  }

  #delete(key: string, revision: number, position: number): boolean {
    if (this.#sql('DELETE FROM entries WHERE key = ?').run(key).changes === 0) return false;
    this.#log(revision, position, key, null, null);
    return true;
  }

  #hasLease(leaseId: string): boolean {
    return this.#sql('SELECT 1 FROM leases WHERE id = ?').get(Number(leaseId)) !== undefined;
  }

  #log(revision: number, position: number, key: string, value: string | null, created: number | null): void {
    const insert =
      'INSERT INTO changes (revision, position, key, value, create_revision) VALUES (?, ?, ?, ?, ?)';
    this.#sql(insert).run(revision, position, key, value, created);
  }

  #underPrefix(select: string, prefix: string, rest: string, ...parameters: number[]): unknown[] {
    const end = prefixEnd(prefix);
    if (end === undefined) return this.#sql(`${select} WHERE key >= ? ${rest}`).all(prefix, ...parameters);
    return this.#sql(`${select} WHERE key >= ? AND key < ? ${rest}`).all(prefix, end, ...parameters);
  }

  /** Prepared once; the texts are constants of this file. */
  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) this.#statements.set(text, (statement = this.#db.prepare(text)));
    return statement;
  }
}

function keyValueOf(row: EntryRow): KeyValue {
  const { key, value, create_revision: createRevision, mod_revision: modRevision } = row;
  return { key, value, createRevision, modRevision };
}

function eventOf(row: ChangeRow): WatchEvent {
  const { key, value, revision: modRevision } = row;
  if (value === null) return { kind: 'delete', key, modRevision };
  return { kind: 'put', entry: { key, value, createRevision: row.create_revision!, modRevision } };
}
