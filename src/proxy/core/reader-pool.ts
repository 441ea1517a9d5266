import { asMishardsError, type ErrorCode } from '../../errors/index.ts';
import type { Discovery, NodeInfo } from '../../discovery/discovery.ts';
import type { Clock, Timers } from '../../host/index.ts';
import type { ReaderApi } from '../../protocol/reader-api.ts';
import type { ChannelId, LogSequence, NodeId } from '../../schema/index.ts';

/** A reader and how it has been doing, as this proxy has seen it. */
export interface PooledReader {
  readonly node: NodeInfo;
  readonly api: ReaderApi;
  inFlight: number;
  /** Smoothed milliseconds of a sub-request. */
  latencyMs: number;
  /** Sub-requests that another node answered first, since it last answered one itself. */
  outlastedCount: number;
  /** It failed or fell silent, and has not answered a probe since; asked only when nobody else can answer. */
  suspect: boolean;
  /** How far each channel was when it last answered for it: it is at least so far now. */
  readonly positions: Map<ChannelId, LogSequence>;
}

export interface ReaderPoolOptions {
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly readerFor: (node: NodeInfo) => ReaderApi & AsyncDisposable;
  /** How often a suspect reader is probed, and how long a probe may take. */
  readonly probeIntervalMs: number;
}

/** Sub-requests outlasted in a row that tell a stopped process from a slow one. */
const SILENT_AFTER = 3;
const LATENCY_START_MS = 1;
/** Weight of the newest measurement: about the last ten count. */
const LATENCY_SMOOTHING = 0.2;

/** The readers discovery knows, one connection each. A failing one becomes suspect and is probed until it answers. */
export class ReaderPool implements AsyncDisposable {
  readonly #options: ReaderPoolOptions;
  readonly #pooled = new Map<NodeId, PooledReader & { api: ReaderApi & AsyncDisposable }>();
  readonly #subscription: Disposable;
  readonly #probing: Disposable;
  #readers: readonly NodeInfo[] = [];

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
    this.#update(options.discovery.nodes());
    this.#subscription = options.discovery.subscribe((nodes) => this.#update(nodes));
    this.#probing = options.timers.every(options.probeIntervalMs, () => void this.#probeSuspects());
  }

  /** By id ascending; the same array until it changes. */
  readers(): readonly NodeInfo[] {
    return this.#readers;
  }

  find(id: NodeId): PooledReader | undefined {
    return this.#pooled.get(id);
  }

  /** Runs a call on a reader and keeps its measurements. */
  async measure<Result>(reader: PooledReader, call: (api: ReaderApi) => Promise<Result>): Promise<Result> {
    const start = this.#options.clock.monotonicMs();
    reader.inFlight++;
    try {
      const result = await call(reader.api);
      smooth(reader, this.#options.clock.monotonicMs() - start);
      reader.outlastedCount = 0;
      reader.suspect = false;
      return result;
    } catch (error) {
      if (PROCESS_FAILURES.has(asMishardsError(error).code)) reader.suspect = true;
      throw error;
    } finally {
      reader.inFlight--;
    }
  }

  /** Another node answered first: this one is at least so slow. One that answers nothing in between is taken to be stopped. */
  outlasted(reader: PooledReader, elapsedMs: number): void {
    if (elapsedMs > reader.latencyMs) smooth(reader, elapsedMs);
    if (++reader.outlastedCount >= SILENT_AFTER) reader.suspect = true;
  }

  forget(keeps: (channel: ChannelId) => boolean): void {
    for (const { positions } of this.#pooled.values()) {
      for (const channel of positions.keys()) if (!keeps(channel)) positions.delete(channel);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    this.#probing[Symbol.dispose]();
    await Promise.all([...this.#pooled.values()].map((reader) => reader.api[Symbol.asyncDispose]()));
  }

  #update(nodes: readonly NodeInfo[]): void {
    const readers = nodes.filter((node) => node.role === 'reader');
    if (sameNodes(readers, this.#readers)) return;
    this.#readers = readers;
    const present = new Map(readers.map((node) => [node.id, node]));
    for (const [id, reader] of this.#pooled) {
      if (isSameProcess(present.get(id), reader.node)) continue;
      this.#pooled.delete(id);
      void reader.api[Symbol.asyncDispose]();
    }
    // Slow start: a newcomer is taken to be as slow as the slowest until it has been measured.
    const latencyMs = Math.max(
      LATENCY_START_MS,
      ...[...this.#pooled.values()].map((reader) => reader.latencyMs),
    );
    for (const node of readers) {
      if (this.#pooled.has(node.id)) continue;
      this.#pooled.set(node.id, {
        node,
        api: this.#options.readerFor(node),
        inFlight: 0,
        latencyMs,
        outlastedCount: 0,
        suspect: false,
        positions: new Map(),
      });
    }
  }

  async #probeSuspects(): Promise<void> {
    const suspects = [...this.#pooled.values()].filter((reader) => reader.suspect);
    await Promise.all(
      suspects.map(async (reader) => {
        const status = await reader.api.ping({ timeoutMs: this.#options.probeIntervalMs }).catch(() => null);
        if (status?.ready !== true) return;
        reader.outlastedCount = 0;
        reader.suspect = false;
      }),
    );
  }
}

function smooth(reader: PooledReader, elapsedMs: number): void {
  reader.latencyMs += LATENCY_SMOOTHING * (elapsedMs - reader.latencyMs);
}

/** Signs that the process itself is gone or going. */
const PROCESS_FAILURES = new Set<ErrorCode>(['CONNECTION_LOST', 'UNREACHABLE', 'SERVICE_NOT_READY']);
const NODE_FAILURES = new Set<ErrorCode>([
  ...PROCESS_FAILURES,
  'OVERLOADED',
  'MEMORY_LIMIT',
  'STORAGE_UNAVAILABLE',
  'OBJECT_NOT_FOUND',
  'CORRUPT_DATA',
  'INTERNAL',
]);

/** The node, not the request, is at fault: another one may succeed. */
export function isNodeFailure(error: unknown): boolean {
  return NODE_FAILURES.has(asMishardsError(error).code);
}

function isSameProcess(a: NodeInfo | undefined, b: NodeInfo): boolean {
  return a !== undefined && a.address === b.address && a.startedMs === b.startedMs;
}

function sameNodes(a: readonly NodeInfo[], b: readonly NodeInfo[]): boolean {
  return a.length === b.length && a.every((node, index) => node === b[index]);
}
