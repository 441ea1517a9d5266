import { assign, type Assignment } from './assign.ts';
import type { ReadPlan } from './read-plan.ts';
import { isNodeFailure, type PooledReader, type ReaderPool } from './reader-pool.ts';
import { MishardsError, isErrorWithCode } from '../../errors/index.ts';
import type { Clock, Random } from '../../host/index.ts';
import type { ReaderApi } from '../../protocol/reader-api.ts';
import type { NodeId } from '../../schema/index.ts';
import { withSpan, type SpanAttributes } from '../../telemetry/tracing.ts';
import type { CallOptions, TraceCarrier } from '../../wire/wire.ts';

export interface FanOutDependencies {
  readonly pool: ReaderPool;
  readonly clock: Clock;
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
  readonly call: (api: ReaderApi, assignment: Assignment, options: CallOptions) => Promise<Result>;
  readonly describe: (result: Result) => SpanAttributes;
}

/**
 * Asks every node of the plan once, all at the same time. What a node could not do goes at once to the next nodes in the
 * order of preference; the others are not waited for. The first failure that no node can cure cancels the rest.
 */
export async function fanOut<Result>(
  dependencies: FanOutDependencies,
  request: FanOutRequest<Result>,
): Promise<readonly Result[]> {
  const rest = new AbortController();
  const signal = AbortSignal.any([request.signal, rest.signal]);
  const results: Result[] = [];

  const ask = async (
    parts: Pick<ReadPlan, 'segments' | 'channels'>,
    excluded: ReadonlySet<NodeId>,
  ): Promise<void> => {
    const assignments = assign(parts, {
      random: dependencies.random,
      find: (id) => dependencies.pool.find(id),
      excluded,
      copies: request.copies,
    });
    await Promise.all(
      assignments.map(async (assignment) => {
        try {
          results.push(await askNode(dependencies, { ...request, signal }, assignment));
        } catch (error) {
          if (!isNodeFailure(error) || excluded.size >= dependencies.retriesMax) throw error;
          await ask(assignment, new Set([...excluded, assignment.reader.node.id])).catch(
            (retryError: unknown) => {
              throw isErrorWithCode(retryError, 'NO_READER') ? error : retryError;
            },
          );
        }
      }),
    );
  };

  try {
    await ask(request.plan, new Set());
    return results;
  } catch (error) {
    rest.abort(error);
    throw error;
  }
}

async function askNode<Result>(
  dependencies: FanOutDependencies,
  request: FanOutRequest<Result>,
  assignment: Assignment,
): Promise<Result> {
  const { reader } = assignment;
  return await withSpan(
    `search_${reader.node.id}`,
    request.trace,
    nodeAttributes(reader, assignment),
    async (trace, span) => {
      const timeoutMs = request.deadlineMs - dependencies.clock.monotonicMs();
      if (timeoutMs <= 0)
        throw new MishardsError('DEADLINE_EXCEEDED', `no time was left to ask ${reader.node.id}`);
      const result = await dependencies.pool.measure(reader, (api) =>
        request.call(api, assignment, { timeoutMs, signal: request.signal, trace }),
      );
      span.setAttributes(request.describe(result));
      return result;
    },
  );
}

function nodeAttributes(reader: PooledReader, assignment: Assignment): SpanAttributes {
  return {
    'mishards.node': reader.node.id,
    'mishards.address': reader.node.address,
    'mishards.segments': assignment.segments.map((segment) => segment.id).join(','),
    'mishards.channels': assignment.channels.map((channel) => channel.id).join(','),
  };
}
