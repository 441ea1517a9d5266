import { setTimeout as sleep } from 'node:timers/promises';
import type { MilvusClient, RowData } from '@zilliz/milvus2-sdk-node';
import { ChangeModel, type FoundRow, type Version } from './change-model.ts';
import { countWhere, rowsWhere } from './strong-reads.ts';
import { SeededRandom, type Random } from '../../src/host/index.ts';
import { randomPoints } from '../../test/support/points.ts';
import { succeeded } from '../../test/support/milvus.ts';

const WORKERS = 4;
/** One query shows all of them. */
const KEYS_PER_WORKER = 3_000;
const READ_SHARE = 0.2;
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

/** Rows of which it is certain that they, and no others that `filter` selects, are there. */
export interface KnownRows {
  readonly client: MilvusClient;
  readonly collection: string;
  readonly filter: string;
  /** Version by id. */
  readonly rows: ReadonlyMap<number, number>;
  readonly random: Random;
}

/** Reads with `Strong` and compares; what is wrong, each in a few words. */
export type StrongCheck = (known: KnownRows) => Promise<readonly string[]>;

export interface StormOptions {
  /** Keys each worker owns. */
  readonly keysPerWorker?: number;
  /** Rest of a worker after each call. */
  readonly restMs?: number;
  readonly rowOf?: (id: number, version: number) => RowData;
  /** Made in turn with the reads by key, by each worker of its own keys; and of all keys by `verify`. */
  readonly checks?: readonly StrongCheck[];
  /** Told of each change that was not acknowledged. */
  readonly onFailure?: (error: Error) => void;
}

/** Inserts, upserts, deletes and strong reads all the time; each worker owns its keys and knows what must be there. */
export class WriteStorm implements AsyncDisposable {
  readonly #clients: readonly MilvusClient[];
  readonly #collection: string;
  readonly #options: Required<StormOptions>;
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
  constructor(
    clients: readonly MilvusClient[],
    collection: string,
    seed: number,
    options: StormOptions = {},
  ) {
    const { keysPerWorker = KEYS_PER_WORKER, restMs = 0, rowOf = versionedRow, checks = [] } = options;
    const { onFailure = () => undefined } = options;
    this.#clients = clients;
    this.#collection = collection;
    this.#options = { keysPerWorker, restMs, rowOf, checks, onFailure };
    this.#workers = Array.from({ length: WORKERS }, (_, index) => ({
      client: clients[index % clients.length]!,
      keys: Array.from({ length: keysPerWorker }, (_, key) => index * keysPerWorker + key),
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
      for (const check of this.#options.checks) await this.#check(check, this.#workers);
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
      if (worker.random.next() >= READ_SHARE) await this.#change(worker);
      else await this.#readOrCheck(worker);
      if (this.#options.restMs > 0) await sleep(this.#options.restMs);
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
      const data = ids.map((id) => this.#options.rowOf(id, version));
      await this.#send(worker, ids, version, client.insert({ collection_name, data }));
    } else if (die < 0.7) {
      // Deleted keys come back, and ambiguous ones become certain.
      const ids = sample(keys, 8, random);
      const data = ids.map((id) => this.#options.rowOf(id, version));
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
    } catch (error) {
      this.#options.onFailure(error as Error);
      worker.model.ambiguous(ids, version);
      // A client that is refused at once must not spin.
      await sleep(20);
      return;
    }
    worker.model.acknowledged(ids, version);
    worker.acknowledgedAtMs = sentAtMs;
    this.acknowledgedAtMs.push(performance.now());
  }

  async #readOrCheck(worker: Worker): Promise<void> {
    const { checks } = this.#options;
    const check = checks[worker.random.below(checks.length + 1)];
    await (check === undefined ? this.#read(worker) : this.#check(check, [worker]));
  }

  async #read(worker: Worker): Promise<void> {
    const asked = sample(worker.keys, 20, worker.random);
    const found = await this.#tried(() =>
      rowsWhere(this.#anyClient(worker), this.#collection, `id in [${asked.join(', ')}]`),
    );
    if (found !== null) this.#compare(worker, asked, found);
  }

  async #check(check: StrongCheck, workers: readonly Worker[]): Promise<void> {
    const ids = workers.flatMap(({ keys }) => keys);
    const uncertain = workers.flatMap(({ model, keys }) => model.uncertain(keys));
    const certainly = uncertain.length === 0 ? '' : ` && id not in [${uncertain.join(', ')}]`;
    const [{ random }] = workers as [Worker];
    const known: KnownRows = {
      client: this.#anyClient(workers[0]!),
      collection: this.#collection,
      filter: `id >= ${ids[0]} && id <= ${ids.at(-1)}${certainly}`,
      rows: new Map(workers.flatMap(({ model, keys }) => [...model.certain(keys)])),
      random,
    };
    const wrong = await this.#tried(() => check(known));
    if (wrong !== null) this.#problem('wrong', wrong);
  }

  /** null when the read failed, which is counted. */
  async #tried<Result>(read: () => Promise<Result>): Promise<Result | null> {
    this.#counts.strongReads++;
    try {
      return await read();
    } catch (error) {
      this.#counts.failedReads++;
      if (this.readErrors.length < SHOWN_MAX) this.readErrors.push((error as Error).message);
      return null;
    }
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
    const at = new Date().toISOString();
    this.problems.push(...texts.slice(0, Math.max(0, room)).map((text) => `${at} ${kind}: ${text}`));
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

function versionedRow(id: number, version: number): RowData {
  return { id, version, vector: randomPoints(1, id, version)[0]!.vector };
}

function sample(ids: readonly number[], count: number, random: Random): number[] {
  return [...new Set(Array.from({ length: count }, () => ids[random.below(ids.length)]!))];
}
