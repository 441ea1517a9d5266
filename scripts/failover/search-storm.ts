import { setTimeout as sleep } from 'node:timers/promises';
import { maximum } from './fault-result.ts';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { searchIds } from '../../test/support/points.ts';

const SEARCHES_PER_CLIENT = 4;
const K = 10;
const ERRORS_SHOWN = 5;
/** A client that is refused at once must not spin. */
const FAILED_REST_MS = 50;

/** What the clients of one proxy saw. */
export interface SearchFigures {
  readonly searches: number;
  readonly failed: number;
  /** Answers other than those before the fault. */
  readonly different: number;
  readonly slowestMs: number;
  /** Longest time between two answers. */
  readonly gapMs: number;
  readonly errors: readonly string[];
}

/** Queries, and their answers while nothing fails. */
export interface Searched {
  readonly queries: readonly number[][];
  readonly answers: readonly (readonly string[])[];
}

export async function calmAnswers(
  client: MilvusClient,
  collection: string,
  queries: readonly number[][],
): Promise<Searched['answers']> {
  return await Promise.all(queries.map((query) => searchIds(client, collection, query, K)));
}

/** Searches through each client all the time while `fault` goes on; the figures of each client. */
export async function searchDuring(
  clients: readonly MilvusClient[],
  collection: string,
  expected: Searched,
  fault: (answered: (client: number) => number) => Promise<void>,
): Promise<readonly SearchFigures[]> {
  let isOver = false;
  const storms = clients.map((client) => new ClientStorm(client, collection, expected));
  const running = Promise.all(storms.map((storm) => storm.run(() => isOver)));
  try {
    await fault((client) => storms[client]!.answeredCount);
  } finally {
    isOver = true;
    await running;
  }
  return storms.map((storm) => storm.figures);
}

/** Figures of several clients as of one. */
export function sumOf(figures: readonly SearchFigures[]): SearchFigures {
  const sum = (of: (each: SearchFigures) => number): number =>
    figures.reduce((total, each) => total + of(each), 0);
  return {
    searches: sum(({ searches }) => searches),
    failed: sum(({ failed }) => failed),
    different: sum(({ different }) => different),
    slowestMs: maximum(figures.map(({ slowestMs }) => slowestMs)),
    gapMs: maximum(figures.map(({ gapMs }) => gapMs)),
    errors: figures.flatMap(({ errors }) => errors),
  };
}

class ClientStorm {
  readonly #client: MilvusClient;
  readonly #collection: string;
  readonly #expected: Searched;
  readonly #errors = new Set<string>();
  #searches = 0;
  #answered = 0;
  #failed = 0;
  #different = 0;
  #slowestMs = 0;
  #gapMs = 0;
  #answeredAtMs = performance.now();

  constructor(client: MilvusClient, collection: string, expected: Searched) {
    this.#client = client;
    this.#collection = collection;
    this.#expected = expected;
  }

  get answeredCount(): number {
    return this.#answered;
  }

  get figures(): SearchFigures {
    return {
      searches: this.#searches,
      failed: this.#failed,
      different: this.#different,
      slowestMs: Math.round(this.#slowestMs),
      gapMs: Math.round(this.#gapMs),
      errors: [...this.#errors].slice(0, ERRORS_SHOWN),
    };
  }

  async run(isOver: () => boolean): Promise<void> {
    const worker = async (): Promise<void> => {
      while (!isOver()) await this.#search();
    };
    await Promise.all(Array.from({ length: SEARCHES_PER_CLIENT }, worker));
  }

  async #search(): Promise<void> {
    const { queries, answers } = this.#expected;
    const index = this.#searches++ % queries.length;
    const startMs = performance.now();
    try {
      const ids = await searchIds(this.#client, this.#collection, queries[index]!, K);
      if (ids.join() !== answers[index]!.join()) this.#different++;
      const nowMs = performance.now();
      this.#gapMs = Math.max(this.#gapMs, nowMs - this.#answeredAtMs);
      this.#answeredAtMs = nowMs;
      this.#answered++;
    } catch (error) {
      this.#failed++;
      this.#errors.add((error as Error).message);
      await sleep(FAILED_REST_MS);
      return;
    }
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startMs);
  }
}
