import type { PlanItem, ReadPlan } from './read-plan.ts';
import type { PooledReader } from './reader-pool.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Random } from '../../host/index.ts';
import type { NodeId } from '../../schema/index.ts';

export interface AssignContext {
  readonly random: Random;
  readonly find: (id: NodeId) => PooledReader | undefined;
  /** Nodes that already failed this request. */
  readonly excluded: ReadonlySet<NodeId>;
  /** How many nodes keep each item loaded. */
  readonly copies: number;
}

/** What one node is asked for. */
export interface Assignment {
  readonly reader: PooledReader;
  readonly segments: ReadPlan['segments'][number][];
  readonly channels: ReadPlan['channels'][number][];
  weight: number;
}

/**
 * One assignment a node: each segment goes to the less loaded of two random nodes among its copies, each channel to a node
 * that is asked anyway where possible, because every reader has the fresh rows. `NO_READER` when nobody is left.
 */
export function assign(
  plan: Pick<ReadPlan, 'segments' | 'channels'>,
  context: AssignContext,
): readonly Assignment[] {
  const assignments = new Map<NodeId, Assignment>();
  const fairWeight = fairShare(plan);
  for (const segment of plan.segments) {
    const candidates = candidatesFor(segment, context);
    const reader = lessLoadedOfTwo(candidates, assignments, fairWeight, context.random);
    give(assignments, reader, segment);
  }
  for (const channel of plan.channels) {
    const candidates = usable(channel, context);
    const reader = candidates.find((candidate) => assignments.has(candidate.node.id)) ?? candidates[0]!;
    give(assignments, reader, channel);
  }
  return [...assignments.values()];
}

/** Whether each segment has a healthy copy on a node that is not excluded, and each channel a healthy node. */
export function hasHealthyCopies(
  parts: Pick<ReadPlan, 'segments' | 'channels'>,
  context: AssignContext,
): boolean {
  const isHealthy = (id: NodeId): boolean => !context.excluded.has(id) && context.find(id)?.suspect === false;
  return (
    parts.segments.every(({ nodes }) => nodes.slice(0, context.copies).some(isHealthy)) &&
    parts.channels.every(({ nodes }) => nodes.some(isHealthy))
  );
}

/** The healthy ones among the copies; if there are none, the one node to try next. */
function candidatesFor(item: PlanItem, context: AssignContext): readonly PooledReader[] {
  const all = usable(item, context);
  const copies = new Set(item.nodes.slice(0, context.copies));
  const ready = all.filter((reader) => copies.has(reader.node.id) && !reader.suspect);
  return ready.length > 0 ? ready : all.slice(0, 1);
}

/** Healthy nodes first, in the order of preference, then the suspect ones. */
function usable(item: PlanItem, context: AssignContext): readonly PooledReader[] {
  const healthy: PooledReader[] = [];
  const suspect: PooledReader[] = [];
  for (const id of item.nodes) {
    if (context.excluded.has(id)) continue;
    const reader = context.find(id);
    if (reader !== undefined) (reader.suspect ? suspect : healthy).push(reader);
  }
  const all = healthy.concat(suspect);
  if (all.length === 0) {
    const reason =
      context.excluded.size > 0 ? 'every reader failed this request' : 'no healthy reader is registered';
    throw new MishardsError('NO_READER', `no reader can answer for ${item.kind} ${item.id}: ${reason}`);
  }
  return all;
}

function lessLoadedOfTwo(
  candidates: readonly PooledReader[],
  assignments: ReadonlyMap<NodeId, Assignment>,
  fairWeight: number,
  random: Random,
): PooledReader {
  if (candidates.length === 1) return candidates[0]!;
  const first = random.below(candidates.length);
  const second = (first + 1 + random.below(candidates.length - 1)) % candidates.length;
  const [a, b] = [candidates[first]!, candidates[second]!];
  const load = (reader: PooledReader): number => {
    const given = assignments.get(reader.node.id)?.weight ?? 0;
    return reader.latencyMs * (1 + reader.inFlight + given / fairWeight);
  };
  return load(a) <= load(b) ? a : b;
}

function fairShare(plan: Pick<ReadPlan, 'segments'>): number {
  const total = plan.segments.reduce((sum, segment) => sum + segment.weight, 0);
  const nodes = new Set(plan.segments.flatMap((segment) => segment.nodes.slice(0, 1))).size;
  return Math.max(1, total / Math.max(1, nodes));
}

function give(assignments: Map<NodeId, Assignment>, reader: PooledReader, item: PlanItem): void {
  let assignment = assignments.get(reader.node.id);
  if (assignment === undefined) {
    assignment = { reader, segments: [], channels: [], weight: 0 };
    assignments.set(reader.node.id, assignment);
  }
  assignment.weight += item.weight;
  if (item.kind === 'segment') assignment.segments.push(item);
  else assignment.channels.push(item);
}
