import { assign, hasHealthyCopies, type AssignContext, type Assignment } from './assign.ts';
import { channelFloors, overlapParts, ownParts, type ChannelFloors } from './channel-parts.ts';
import { hedged, OUTPACED, type Hedging } from './hedging.ts';
import type { ReadPlan } from './read-plan.ts';
import { isNodeFailure, type PooledReader, type ReaderPool } from './reader-pool.ts';
import { MishardsError, isErrorWithCode } from '../../errors/index.ts';
import type { Clock, Random, Timers } from '../../host/index.ts';
import type { ChannelPart, NodeStats, ReaderApi } from '../../protocol/reader-api.ts';
import type { NodeId } from '../../schema/index.ts';
import { withSpan, type SpanAttributes } from '../../telemetry/tracing.ts';
import { LinkedAbort } from '../../util/linked-abort.ts';
import type { CallOptions, TraceCarrier } from '../../wire/wire.ts';

export interface FanOutDependencies {
  readonly pool: ReaderPool;
  readonly hedging: Hedging;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** How many further nodes a part of a request may be sent to after the first failed. */
  readonly retriesMax: number;
}

export interface FanOutRequest<Result> {
  readonly plan: ReadPlan;
  readonly copies: number;
  /** Monotonic milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly trace: TraceCarrier;
  /** Rows that two nodes return count once in the end; where they would not, no node is asked for those of another. */
  readonly mayOverlap: boolean;
  readonly call: (api: ReaderApi, part: NodePart, options: CallOptions) => Promise<Result>;
  readonly describe: (result: Result) => SpanAttributes;
}

/** What one node looks through. */
export interface NodePart {
  readonly reader: PooledReader;
  readonly segments: Assignment['segments'];
  readonly channels: readonly ChannelPart[];
}

type Answered = { readonly stats: Pick<NodeStats, 'positions'> };
type Parts = Pick<ReadPlan, 'segments' | 'channels'>;

/**
 * Asks every node of the plan once, all at the same time. What a node could not do goes at once to the next nodes in the
 * order of preference; the others are not waited for. What takes a node longer than nearly all before goes also to other
 * copies, and the first answer counts. The first failure that no node can cure cancels the rest.
 */
export async function fanOut<Result extends Answered>(
  dependencies: FanOutDependencies,
  request: FanOutRequest<Result>,
): Promise<readonly Result[]> {
  using rest = new LinkedAbort(request.signal);
  try {
    return await new FanOut(dependencies, request).ask(request.plan, new Set(), rest.signal);
  } catch (error) {
    rest.abort(error);
    throw error;
  }
}

class FanOut<Result extends Answered> {
  readonly #with: FanOutDependencies;
  readonly #request: FanOutRequest<Result>;
  #floors: ChannelFloors | null = null;

  constructor(dependencies: FanOutDependencies, request: FanOutRequest<Result>) {
    this.#with = dependencies;
    this.#request = request;
  }

  async ask(
    parts: Parts,
    excluded: ReadonlySet<NodeId>,
    signal: AbortSignal,
    isHedge = false,
  ): Promise<readonly Result[]> {
    const assignments = assign(parts, this.#assignContext(excluded));
    this.#floors ??= channelFloors(assignments);
    const answers = assignments.map(async (assignment) => {
      try {
        return await this.#askOne(assignment, excluded, signal, isHedge);
      } catch (error) {
        if (!isNodeFailure(error) || excluded.size >= this.#with.retriesMax) throw error;
        return await this.ask(assignment, withNode(excluded, assignment), signal, isHedge).catch(
          (retryError: unknown) => {
            throw isErrorWithCode(retryError, 'NO_READER') ? error : retryError;
          },
        );
      }
    });
    return (await Promise.all(answers)).flat();
  }

  /** Only first attempts are hedged, and only by nodes that have the segments loaded. */
  async #askOne(
    assignment: Assignment,
    excluded: ReadonlySet<NodeId>,
    signal: AbortSignal,
    isHedge: boolean,
  ): Promise<readonly Result[]> {
    const delayMs = this.#with.hedging.delayMs();
    if (isHedge || excluded.size > 0 || delayMs === null)
      return [await this.#askNode(assignment, signal, isHedge)];
    const others = withNode(excluded, assignment);
    return await hedged({
      timers: this.#with.timers,
      signal,
      delayMs,
      mayHedge: () => hasHealthyCopies(assignment, this.#assignContext(others)) && this.#with.hedging.spend(),
      primary: async (until) => [await this.#askUntil(until, assignment)],
      backup: (until) => this.ask(assignment, others, until, true),
    });
  }

  /** As `#askNode`; given up when another answered first, which counts as slowness. */
  async #askUntil(signal: AbortSignal, assignment: Assignment): Promise<Result> {
    const { clock, pool } = this.#with;
    const startMs = clock.monotonicMs();
    try {
      return await this.#askNode(assignment, signal, false);
    } catch (error) {
      if (signal.reason === OUTPACED) pool.outlasted(assignment.reader, clock.monotonicMs() - startMs);
      throw error;
    }
  }

  async #askNode(assignment: Assignment, signal: AbortSignal, isHedge: boolean): Promise<Result> {
    const { reader } = assignment;
    const { clock, pool, hedging } = this.#with;
    const { deadlineMs, call, describe, trace: parent } = this.#request;
    return await withSpan(
      `search_${reader.node.id}`,
      parent,
      { ...nodeAttributes(reader, assignment), 'mishards.hedge': isHedge },
      async (trace, span) => {
        const startMs = clock.monotonicMs();
        const timeoutMs = deadlineMs - startMs;
        if (timeoutMs <= 0)
          throw new MishardsError('DEADLINE_EXCEEDED', `no time was left to ask ${reader.node.id}`);
        const result = await pool.measure(reader, (api) =>
          call(api, this.#partOf(assignment), { timeoutMs, signal, trace }),
        );
        noteProgress(assignment, result);
        hedging.record(clock.monotonicMs() - startMs);
        span.setAttributes(describe(result));
        return result;
      },
    );
  }

  #partOf(assignment: Assignment): NodePart {
    const floors = this.#floors!;
    const own = ownParts(assignment, floors);
    const channels = this.#request.mayOverlap ? [...own, ...overlapParts(assignment, floors)] : own;
    return { reader: assignment.reader, segments: assignment.segments, channels };
  }

  #assignContext(excluded: ReadonlySet<NodeId>): AssignContext {
    const { random, pool } = this.#with;
    return { random, find: (id) => pool.find(id), excluded, copies: this.#request.copies };
  }
}

function noteProgress({ reader, channels }: Assignment, { stats }: Answered): void {
  for (const { id } of channels) {
    const sequence = stats.positions.get(id);
    if (sequence !== undefined) reader.positions.set(id, sequence);
  }
}

function withNode(excluded: ReadonlySet<NodeId>, { reader }: Assignment): ReadonlySet<NodeId> {
  return new Set([...excluded, reader.node.id]);
}

function nodeAttributes(reader: PooledReader, assignment: Assignment): SpanAttributes {
  return {
    'mishards.node': reader.node.id,
    'mishards.address': reader.node.address,
    'mishards.segments': assignment.segments.map((segment) => segment.id).join(','),
    'mishards.channels': assignment.channels.map((channel) => channel.id).join(','),
  };
}
