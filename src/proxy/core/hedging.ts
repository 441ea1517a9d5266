import { isNodeFailure } from './reader-pool.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Timers } from '../../host/index.ts';
import { LinkedAbort } from '../../util/linked-abort.ts';

export interface HedgingOptions {
  /** Second sub-requests for a hundred first ones, at most; 0 = none. */
  readonly percentMax: number;
  /** No second one is sent before this time. */
  readonly delayMinMs: number;
}

const WINDOW = 256;
/** Fewer measurements say nothing of the slowest twentieth. */
const MEASUREMENTS_MIN = 40;
const SORT_EVERY = 16;
const QUANTILE = 0.95;
/** Of the quantile: without a distance from it, noise would use up the budget that a stopped node needs. */
const PATIENCE = 2;
/** Unused budget, as for the sub-requests under way to a node that stops. */
const SAVED_MAX = 16;

/** When a sub-request has taken much longer than nearly all before it, and whether the budget has a second one for it. */
export class Hedging {
  readonly #options: HedgingOptions;
  readonly #latenciesMs: number[] = [];
  #measured = 0;
  #quantileMs: number | null = null;
  #saved = 0;

  constructor(options: HedgingOptions) {
    this.#options = options;
  }

  /** A sub-request was answered. */
  record(elapsedMs: number): void {
    this.#latenciesMs[this.#measured++ % WINDOW] = elapsedMs;
    this.#saved = Math.min(SAVED_MAX, this.#saved + this.#options.percentMax / 100);
    if (this.#measured < MEASUREMENTS_MIN || this.#measured % SORT_EVERY !== 0) return;
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    this.#quantileMs = sorted[Math.floor(sorted.length * QUANTILE)]!;
  }

  /** How long to wait for the first; null while too little is known, or when there is no budget at all. */
  delayMs(): number | null {
    if (this.#quantileMs === null || this.#options.percentMax === 0) return null;
    return Math.max(this.#options.delayMinMs, this.#quantileMs * PATIENCE);
  }

  /** Takes a second sub-request from the budget, if there is one. */
  spend(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}

/** Why the loser is given up. */
export const OUTPACED = new MishardsError('CANCELLED', 'another copy answered first');

export interface HedgedCall<Result> {
  readonly timers: Timers;
  /** Of the whole call; what the two are given aborts with it. */
  readonly signal: AbortSignal;
  readonly delayMs: number;
  /** Asked when the delay is over. */
  readonly mayHedge: () => boolean;
  readonly primary: (signal: AbortSignal) => Promise<Result>;
  readonly backup: (signal: AbortSignal) => Promise<Result>;
}

type Outcome<Result> = { readonly by: 'primary' | 'backup' } & (
  { readonly result: Result } | { readonly error: unknown }
);

/**
 * The first answer of the primary and, if it takes long, the backup; the signal of the other aborts as `OUTPACED`. A failure of the
 * backup is passed over, and one of the primary's node while the backup runs.
 */
export async function hedged<Result>(call: HedgedCall<Result>): Promise<Result> {
  using over = new LinkedAbort(call.signal);
  const backup = Promise.withResolvers<Outcome<Result>>();
  let isHedged = false;
  using _ = call.timers.after(call.delayMs, () => {
    if (!call.mayHedge()) return;
    isHedged = true;
    backup.resolve(outcomeOf('backup', call.backup(over.signal)));
  });
  const primary = outcomeOf('primary', call.primary(over.signal));
  try {
    const first = await Promise.race([primary, backup.promise]);
    if ('result' in first) return first.result;
    if (first.by === 'primary' && !(isHedged && isNodeFailure(first.error))) throw first.error;
    const second = await (first.by === 'primary' ? backup.promise : primary);
    if ('result' in second) return second.result;
    throw first.by === 'primary' ? first.error : second.error;
  } finally {
    if (isHedged) over.abort(OUTPACED);
  }
}

async function outcomeOf<Result>(
  by: Outcome<Result>['by'],
  running: Promise<Result>,
): Promise<Outcome<Result>> {
  try {
    return { by, result: await running };
  } catch (error) {
    return { by, error };
  }
}
