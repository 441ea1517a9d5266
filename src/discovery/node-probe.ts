import { MishardsError, asMishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { NodeInfo } from './discovery.ts';

export interface ProbeConnection extends AsyncDisposable {
  /** Resolves when the node is well. `signal` aborts when the answer is no longer wanted. */
  probe(signal: AbortSignal): Promise<void>;
}

export interface ProbeOptions {
  /** What asks the node, for as long as it is known. */
  readonly connect: (node: NodeInfo) => ProbeConnection;
  readonly intervalMs: number;
  /** A probe without an answer by then has failed. */
  readonly timeoutMs: number;
  /** Failures in a row that make a node unhealthy. */
  readonly failuresMax: number;
}

export interface NodeHealth {
  readonly isHealthy: boolean;
  readonly failureCount: number;
  /** Of the last probe; null when it succeeded or there was none yet. */
  readonly lastError: MishardsError | null;
}

/** Asks one node again and again, one probe at a time, with jitter so that many askers do not ask together. */
export class NodeProbe implements AsyncDisposable {
  readonly node: NodeInfo;
  readonly #host: Pick<Host, 'timers' | 'random'>;
  readonly #options: ProbeOptions;
  readonly #onChange: () => void;
  readonly #stopped = new AbortController();
  #health: NodeHealth = { isHealthy: true, failureCount: 0, lastError: null };
  readonly #connection: ProbeConnection;
  #timer: Disposable;

  constructor(
    node: NodeInfo,
    host: Pick<Host, 'timers' | 'random'>,
    options: ProbeOptions,
    onChange: () => void,
  ) {
    this.node = node;
    this.#host = host;
    this.#options = options;
    this.#onChange = onChange;
    this.#connection = options.connect(node);
    this.#timer = this.#schedule();
  }

  get health(): NodeHealth {
    return this.#health;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    this.#stopped.abort();
    await this.#connection[Symbol.asyncDispose]();
  }

  #schedule(): Disposable {
    const delayMs = this.#options.intervalMs * (0.75 + 0.5 * this.#host.random.next());
    return this.#host.timers.after(delayMs, () => void this.#run());
  }

  async #run(): Promise<void> {
    const failure = await this.#ask();
    if (this.#stopped.signal.aborted) return;
    const failureCount = failure === null ? 0 : this.#health.failureCount + 1;
    const wasHealthy = this.#health.isHealthy;
    const isHealthy = failureCount === 0 || (wasHealthy && failureCount < this.#options.failuresMax);
    this.#health = { isHealthy, failureCount, lastError: failure };
    this.#timer = this.#schedule();
    if (isHealthy !== wasHealthy) this.#onChange();
  }

  async #ask(): Promise<MishardsError | null> {
    const { timeoutMs } = this.#options;
    const late = new AbortController();
    const expired = Promise.withResolvers<never>();
    const reason = new MishardsError(
      'DEADLINE_EXCEEDED',
      `${this.node.id} did not answer a probe within ${timeoutMs} ms`,
    );
    using _timer = this.#host.timers.after(timeoutMs, () => {
      late.abort(reason);
      expired.reject(reason);
    });
    try {
      const signal = AbortSignal.any([late.signal, this.#stopped.signal]);
      await Promise.race([this.#connection.probe(signal), expired.promise]);
      return null;
    } catch (error) {
      return asMishardsError(error);
    }
  }
}
