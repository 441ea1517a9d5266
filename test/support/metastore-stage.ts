import assert from 'node:assert/strict';
import { isErrorWithCode, type ErrorCode } from '../../src/errors/index.ts';
import type { Metastore, WatchEvent, Write } from '../../src/metastore/metastore.ts';

/** One empty metadata service. Disposing closes what was opened and removes it. */
export interface MetastoreFixture extends AsyncDisposable {
  /** A client of the service: each call is as another process would open it. */
  open(): Promise<Metastore>;
  /** Lets at least this much of the service's time pass, and what follows from it happen. */
  passTime(durationMs: number): Promise<void>;
  /** The service keeps fewer revisions than this for watches. */
  readonly keptRevisionsBelow: number;
}

export interface Stage {
  readonly store: Metastore;
  readonly other: Metastore;
  readonly fixture: MetastoreFixture;
}

export type It = (title: string, run: (stage: Stage) => Promise<void>) => void;

export const put = (key: string, value: string, leaseId?: string): Write =>
  leaseId === undefined ? { kind: 'put', key, value } : { kind: 'put', key, value, leaseId };
export const del = (key: string): Write => ({ kind: 'delete', key });

export async function write(store: Metastore, ...then: Write[]): Promise<number> {
  const result = await store.transact({ compares: [], then });
  assert.equal(result.succeeded, true);
  return result.revision;
}

export async function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isErrorWithCode(error, code) || assert.fail(String(error)));
}

export async function until(fixture: MetastoreFixture, condition: () => boolean): Promise<void> {
  for (let step = 0; !condition(); step++) {
    assert.ok(step < 2_000, 'what was waited for did not happen');
    await fixture.passTime(10);
  }
}

/** Everything a watch says, as it says it. */
export interface Record {
  readonly calls: { readonly revision: number; readonly events: readonly WatchEvent[] }[];
  readonly resets: string[];
  readonly watcher: {
    onEvents(events: readonly WatchEvent[], revision: number): void;
    onReset(reason: string): void;
  };
}

export function recorder(): Record {
  const calls: Record['calls'] = [];
  const resets: string[] = [];
  const onEvents = (events: readonly WatchEvent[], revision: number): void =>
    void calls.push({ revision, events });
  return { calls, resets, watcher: { onEvents, onReset: (reason) => void resets.push(reason) } };
}
