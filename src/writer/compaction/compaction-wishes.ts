import type { Rewrite } from './compaction-plan.ts';
import type { CompactionState } from '../../protocol/writer-api.ts';
import type { CollectionId, SegmentId } from '../../schema/index.ts';

/** What became of one rewrite. */
export interface RewriteProgress {
  readonly sources: readonly SegmentId[];
  /** null = not yet written, or nothing was left. */
  target: SegmentId | null;
  /** `idle`: there was nothing to do. */
  state: 'executing' | 'completed' | 'idle' | 'failed';
}

interface QueuedRewrite {
  readonly rewrite: Rewrite;
  readonly progress: RewriteProgress;
}

interface Wish {
  readonly collectionId: CollectionId;
  readonly plans: RewriteProgress[];
  /** How often it is looked again, when all plans have ended, whether there is more to do. */
  looksLeft: number;
}

/** What was under way leaves more to do; what was flushed since is none of the wish's business. */
const LOOKS_MAX = 2;
/** Wishes remembered, so that a client that never asks again costs nothing for ever. */
const WISHES_MAX = 1_000;

/**
 * Compactions that clients asked for: rewrites to be done before others, and how far each wish is. Kept in memory: what lasts of a
 * compaction is its result.
 */
export class CompactionWishes {
  readonly #wishes = new Map<string, Wish>();
  #queue: QueuedRewrite[] = [];

  /** `underWay` are rewrites that had begun or were queued before, which the wish waits for too. Gives the number of its plans. */
  add(
    id: string,
    collectionId: CollectionId,
    rewrites: readonly Rewrite[],
    underWay: readonly RewriteProgress[],
  ): number {
    const wish: Wish = {
      collectionId,
      plans: [...underWay],
      looksLeft: underWay.length === 0 ? 0 : LOOKS_MAX,
    };
    this.#enqueue(wish, rewrites);
    this.#wishes.set(id, wish);
    for (const oldest of this.#wishes.keys()) {
      if (this.#wishes.size <= WISHES_MAX) break;
      this.#wishes.delete(oldest);
    }
    return wish.plans.length;
  }

  /** Gives wishes whose plans have ended what `derive` finds that is still to do. */
  lookAgain(derive: (collection: CollectionId) => readonly Rewrite[]): void {
    for (const wish of this.#wishes.values()) {
      if (wish.looksLeft === 0 || wish.plans.some(({ state }) => state === 'executing')) continue;
      const rewrites = derive(wish.collectionId);
      wish.looksLeft = rewrites.length === 0 ? 0 : wish.looksLeft - 1;
      this.#enqueue(wish, rewrites);
    }
  }

  get queue(): readonly QueuedRewrite[] {
    return this.#queue;
  }

  /** It has begun, or is no longer wanted. */
  dequeue(queued: QueuedRewrite): void {
    this.#queue = this.#queue.filter((candidate) => candidate !== queued);
  }

  /** An unknown id is one of an earlier writer, or forgotten: whatever came of it is in the catalog. */
  state(id: string): Omit<CompactionState, 'revision'> {
    const { plans, looksLeft } = this.#wishes.get(id) ?? { plans: [], looksLeft: 0 };
    const count = (state: RewriteProgress['state']): number =>
      plans.filter((plan) => plan.state === state).length;
    return {
      executingCount: Math.max(count('executing'), Math.min(1, looksLeft)),
      completedCount: count('completed') + count('idle'),
      failedCount: count('failed'),
      merges: plans
        .filter(({ state }) => state !== 'idle' && state !== 'failed')
        .map(({ sources, target }) => ({ sources, target })),
    };
  }

  #enqueue(wish: Wish, rewrites: readonly Rewrite[]): void {
    for (const rewrite of rewrites) {
      const progress = newProgress(rewrite.sources.map(({ id }) => id));
      wish.plans.push(progress);
      this.#queue.push({ rewrite, progress });
    }
  }
}

export function newProgress(sources: readonly SegmentId[]): RewriteProgress {
  return { sources, target: null, state: 'executing' };
}
