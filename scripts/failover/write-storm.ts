import { setTimeout as sleep } from 'node:timers/promises';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { ChangeModel, type FoundRow, type Version } from './change-model.ts';
import { countWhere, rowsWhere } from './strong-reads.ts';
import { SeededRandom, type Random } from '../../src/host/index.ts';
import { randomPoints } from '../../test/support/points.ts';
import { succeeded } from '../../test/support/milvus.ts';

const WORKERS = 4;
/** One query shows all of them. */
const KEYS_PER_WORKER = 3_000;
const SHOWN_MAX = 20;

export interface StormFigures {
  readonly acknowledgedRows: number;
  readonly ambiguousRows: number;
  readonly strongReads: number;
  readonly failedReads: number;
  readonly missing: number;
  readonly twice: number;
  readonly wrong: number;
}

/** Inserts, upserts, deletes and strong reads all the time; each worker owns its keys and knows what must be there. */
export class WriteStorm implements AsyncDisposable {
  readonly #clients: readonly MilvusClient[];
  readonly #collection: string;
  readonly #workers: readonly Worker[];
  readonly #done: Promise<unknown>;
  readonly problems: string[] = [];
  readonly readErrors: string[] = [];
  /** When each change was acknowledged. */
  readonly acknowledgedAtMs: number[] = [];
  #counts = { strongReads: 0, failedReads: 0, missing: 0, twice: 0, wrong: 0 };
  #paused: PromiseWithResolvers<void> | null = null;
  #stopped = false;

  /** Each worker changes through one client and reads through any. */
  constructor(clients: readonly MilvusClient[], collection: string, seed: number) {
    this.#clients = clients;
    this.#collection = collection;
    this.#workers = Array.from({ length: WORKERS }, (_, index) => ({
      client: clients[index % clients.length]!,
      keys: Array.from({ length: KEYS_PER_WORKER }, (_, key) => index * KEYS_PER_WORKER + key),
      model: new ChangeModel(),
      random: new SeededRandom(seed).fork(`worker ${index}`),
      idle: Promise.withResolvers<void>(),
      version: 0,
      acknowledgedAtMs: 0,
    }));
    this.#done = Promise.all(this.#workers.map((worker) => this.#run(worker)));
  }

  get figures(): StormFigures {
    const sum = (of: (model: ChangeModel) => number): number =>
      this.#workers.reduce((total, { model }) => total + of(model), 0);
    return {
      acknowledgedRows: sum((model) => model.acknowledgedCount),
      ambiguousRows: sum((model) => model.ambiguousCount),
      ...this.#counts,
    };
  }

  /** Whether every worker has had a change acknowledged that it sent after `sinceMs`. */
  isAcknowledgedSince(sinceMs: number): boolean {
    return this.#workers.every((worker) => worker.acknowledgedAtMs > sinceMs);
  }

  /** The longest time without an acknowledgement that ended after `sinceMs`. */
  longestGapMs(sinceMs: number): number {
    const times = this.acknowledgedAtMs;
    return times.reduce((gap, time, index) => {
      return time > sinceMs && index > 0 ? Math.max(gap, time - times[index - 1]!) : gap;
    }, 0);
  }

  /** Stops changes for a moment and compares everything that is there with what must be. */
  async verify(): Promise<void> {
    this.#paused = Promise.withResolvers();
    await Promise.all(this.#workers.map((worker) => worker.idle.promise));
    try {
      for (const worker of this.#workers) {
        const client = this.#anyClient(worker);
        const filter = `id >= ${worker.keys[0]} && id <= ${worker.keys.at(-1)}`;
        const found = await rowsWhere(client, this.#collection, filter);
        const count = await countWhere(client, this.#collection, filter);
        this.#compare(worker, worker.keys, found);
        if (count !== found.length)
          this.#problem('twice', [`count(*) is ${count}, rows are ${found.length}`]);
      }
    } finally {
      for (const worker of this.#workers) worker.idle = Promise.withResolvers();
      this.#paused.resolve();
      this.#paused = null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(worker: Worker): Promise<void> {
    while (!this.#stopped) {
      if (this.#paused !== null) {
        const { promise } = this.#paused;
        worker.idle.resolve();
        await promise;
        continue;
      }
      if (worker.random.next() < 0.2) await this.#read(worker);
      else await this.#change(worker);
    }
    worker.idle.resolve();
  }

  async #change(worker: Worker): Promise<void> {
    const { client, keys, model, random } = worker;
    const collection_name = this.#collection;
    const version = ++worker.version;
    const die = random.next();
    if (die < 0.4) {
      const ids = sample(keys, 20, random).filter((id) => model.isAbsent(id));
      if (ids.length === 0) return;
      const data = rowsOf(ids, version);
      await this.#send(worker, ids, version, client.insert({ collection_name, data }));
    } else if (die < 0.7) {
      // Deleted keys come back, and ambiguous ones become certain.
      const ids = sample(keys, 8, random);
      const data = rowsOf(ids, version);
      await this.#send(worker, ids, version, client.upsert({ collection_name, data }));
    } else {
      const ids = sample(keys, 12, random);
      await this.#send(worker, ids, null, client.delete({ collection_name, ids }));
    }
  }

  async #send(
    worker: Worker,
    ids: readonly number[],
    version: Version,
    call: Promise<object>,
  ): Promise<void> {
    const sentAtMs = performance.now();
    try {
      succeeded(await call);
    } catch {
      worker.model.ambiguous(ids, version);
      // A client that is refused at once must not spin.
      await sleep(20);
      return;
    }
    worker.model.acknowledged(ids, version);
    worker.acknowledgedAtMs = sentAtMs;
    this.acknowledgedAtMs.push(performance.now());
  }

  async #read(worker: Worker): Promise<void> {
    const asked = sample(worker.keys, 20, worker.random);
    this.#counts.strongReads++;
    let found: readonly FoundRow[];
    try {
      found = await rowsWhere(this.#anyClient(worker), this.#collection, `id in [${asked.join(', ')}]`);
    } catch (error) {
      this.#counts.failedReads++;
      if (this.readErrors.length < SHOWN_MAX) this.readErrors.push((error as Error).message);
      return;
    }
    this.#compare(worker, asked, found);
  }

  #anyClient({ random }: Worker): MilvusClient {
    return this.#clients[random.below(this.#clients.length)]!;
  }

  #compare(worker: Worker, asked: readonly number[], found: readonly FoundRow[]): void {
    const differences = worker.model.compare(asked, found);
    this.#problem('missing', differences.missing);
    this.#problem('twice', differences.twice);
    this.#problem('wrong', differences.wrong);
  }

  #problem(kind: 'missing' | 'twice' | 'wrong', texts: readonly string[]): void {
    this.#counts[kind] += texts.length;
    const room = SHOWN_MAX - this.problems.length;
    this.problems.push(...texts.slice(0, Math.max(0, room)).map((text) => `${kind}: ${text}`));
  }
}

interface Worker {
  readonly client: MilvusClient;
  readonly keys: readonly number[];
  readonly model: ChangeModel;
  readonly random: Random;
  /** Resolves when it has no call under way while the storm is paused. */
  idle: PromiseWithResolvers<void>;
  version: number;
  /** When the last acknowledged change was sent. */
  acknowledgedAtMs: number;
}

function rowsOf(
  ids: readonly number[],
  version: number,
): { id: number; version: number; vector: number[] }[] {
  return ids.map((id) => ({ id, version, vector: randomPoints(1, id, version)[0]!.vector }));
}

function sample(ids: readonly number[], count: number, random: Random): number[] {
  return [...new Set(Array.from({ length: count }, () => ids[random.below(ids.length)]!))];
}
