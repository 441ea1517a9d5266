import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import type { ChannelMeta, CollectionMeta, SegmentMeta } from '../../catalog/model.ts';
import { needsDelta } from '../../catalog/pending-deletes.ts';
import { rowLifeOf, type RowLife } from '../../catalog/time-to-live.ts';
import type { ChannelId, CollectionId, SegmentId } from '../../schema/index.ts';

export interface CompactionPolicy {
  /** So many segments of about one size become one; and sizes are about one that differ by less than this factor. */
  readonly segmentsMin: number;
  /** Of a merged segment, from the sizes of what goes into it. */
  readonly bytesMax: number;
  readonly rowsMax: number;
  /** Segments with fewer rows are all of one size. */
  readonly smallRows: number;
  /** Part of a segment's rows that must be deleted or expired for it to be rewritten alone. */
  readonly deadRatio: number;
  /** Rows that have outlived their time by less stay, for searches planned before and for clocks that differ. */
  readonly graceMs: number;
}

/** Segments that are to become one, or none. */
export interface Rewrite {
  readonly collectionId: CollectionId;
  readonly channelId: ChannelId;
  readonly sources: readonly SegmentMeta[];
  /** Not worth it when fewer rows would go. */
  readonly deadRowsMin: number;
}

/** What the catalog asks for. */
export interface CompactionWork {
  readonly rewrites: readonly Rewrite[];
  /** Segments whose rows have all outlived their time. */
  readonly expired: readonly SegmentMeta[];
  /** Segments that may take the place of others when they are complete. */
  readonly incoming: readonly SegmentMeta[];
  /** Channels with deltas that none of their segments needs. */
  readonly trims: readonly ChannelMeta[];
}

/** What was seen when a segment was found not worth a rewrite. */
export interface Examined {
  readonly pendingDeletes: number;
  readonly expiredRatio: number;
  /** Which time in the field that ends rows makes it worth a rewrite; absent where no field does. */
  readonly ending: Ending | null;
}

export interface Ending {
  readonly fieldId: number;
  /** null = none does. */
  readonly through: bigint | null;
}

/** Transactions of the metastore are bounded; so is what a rewrite holds open. */
export const SOURCES_MAX = 64;

export interface CompactionInputs {
  readonly snapshot: CatalogSnapshot;
  readonly collection: CollectionMeta;
  readonly policy: CompactionPolicy;
  readonly nowMs: number;
  readonly examined: ReadonlyMap<SegmentId, Examined>;
  /** Are not rewritten now. */
  readonly resting: ReadonlySet<SegmentId>;
  /** Asked for by a client: whatever can be merged is, and no dead row is too few. */
  readonly isForced?: boolean;
}

/** What is to be done in a collection. A pure function, so that nothing has to be remembered over a restart. */
export function compactionWork(inputs: CompactionInputs): CompactionWork {
  const { snapshot, collection, policy, nowMs } = inputs;
  const life = rowLifeOf(collection, nowMs - policy.graceMs);
  const visible = snapshot.segmentsOf(collection.id);
  const incoming = snapshot.incomingOf(collection.id);
  const busy = new Set(incoming.flatMap((segment) => segment.replaces));
  const free = visible.filter((segment) => !busy.has(segment.id));
  const living = free.filter((segment) => !isExpired(segment, life) && !inputs.resting.has(segment.id));
  const groups = Map.groupBy(living, (segment) => `${segment.channelId}/${segment.partitionId}`);
  const rewrites = groups.values().flatMap((segments) => rewritesOf(segments, { ...inputs, life }));
  const needy = [...visible, ...incoming];
  return {
    rewrites: [...rewrites],
    expired: free.filter((segment) => isExpired(segment, life)).slice(0, SOURCES_MAX),
    incoming,
    trims: snapshot
      .channelsOf(collection.id)
      .filter((channel) => neededDeltas(channel, needy) !== channel.deltas),
  };
}

/** The deltas of the channel that some of the segments needs; the same array when that is all of them. */
export function neededDeltas(channel: ChannelMeta, segments: readonly SegmentMeta[]): ChannelMeta['deltas'] {
  const ofChannel = segments.filter((segment) => segment.channelId === channel.id);
  const needed = channel.deltas.filter((delta) => ofChannel.some((segment) => needsDelta(segment, delta)));
  return needed.length === channel.deltas.length ? channel.deltas : needed;
}

type GroupInputs = CompactionInputs & { readonly life: RowLife };

/** Of segments of one channel and partition. */
function rewritesOf(segments: readonly SegmentMeta[], inputs: GroupInputs): readonly Rewrite[] {
  const merges = inputs.isForced === true ? packed(segments, inputs.policy) : tiered(segments, inputs.policy);
  const merged = new Set(merges.flat());
  return [
    ...merges.map((sources) => rewriteOf(sources, 0)),
    ...segments
      .filter((segment) => !merged.has(segment))
      .map((segment) => rewriteOf([segment], deadRowsMin(segment, inputs)))
      .filter((rewrite) => Number.isFinite(rewrite.deadRowsMin)),
  ];
}

function rewriteOf(sources: readonly SegmentMeta[], dead: number): Rewrite {
  const { collectionId, channelId } = sources[0]!;
  return { collectionId, channelId, sources, deadRowsMin: dead };
}

/** Groups of about one size, from the smallest: as many as are there and fit, when they are enough or fill a segment. */
function tiered(
  segments: readonly SegmentMeta[],
  policy: CompactionPolicy,
): readonly (readonly SegmentMeta[])[] {
  const sizeOf = ({ rowCount }: SegmentMeta): number => Math.max(rowCount, policy.smallRows);
  const sorted = segments.toSorted((a, b) => a.rowCount - b.rowCount);
  const groups: SegmentMeta[][] = [];
  for (let at = 0; at < sorted.length;) {
    const bound = sizeOf(sorted[at]!) * policy.segmentsMin;
    const group = new Group(policy);
    let next = at;
    while (next < sorted.length && sizeOf(sorted[next]!) < bound && group.add(sorted[next]!)) next++;
    const isFull = next < sorted.length && sizeOf(sorted[next]!) < bound && group.segments.length > 1;
    if (group.segments.length >= policy.segmentsMin || isFull) {
      groups.push(group.segments);
      at = next;
    } else at++;
  }
  return groups;
}

/** As few as hold them all, about: first fit, the smallest first, so that most segments disappear. */
function packed(
  segments: readonly SegmentMeta[],
  policy: CompactionPolicy,
): readonly (readonly SegmentMeta[])[] {
  const groups: Group[] = [];
  for (const segment of segments.toSorted((a, b) => a.rowCount - b.rowCount)) {
    if (groups.some((group) => group.add(segment))) continue;
    const group = new Group(policy);
    if (group.add(segment)) groups.push(group);
  }
  return groups.map((group) => group.segments).filter((group) => group.length > 1);
}

/** Segments that fit into one. */
class Group {
  readonly segments: SegmentMeta[] = [];
  readonly #policy: CompactionPolicy;
  #rowCount = 0;
  #sizeBytes = 0;

  constructor(policy: CompactionPolicy) {
    this.#policy = policy;
  }

  /** false = it does not fit. */
  add(segment: SegmentMeta): boolean {
    const { rowsMax, bytesMax } = this.#policy;
    const isTooMuch =
      this.#rowCount + segment.rowCount > rowsMax ||
      this.#sizeBytes + segment.sizeBytes > bytesMax ||
      this.segments.length === SOURCES_MAX;
    if (isTooMuch) return false;
    this.segments.push(segment);
    this.#rowCount += segment.rowCount;
    this.#sizeBytes += segment.sizeBytes;
    return true;
  }
}

/**
 * How many rows of the segment must be dead for a rewrite of it alone; infinite when that need not be looked at. Deletes that
 * meet nothing must go some day too, so as many as the segment has rows are reason enough.
 */
function deadRowsMin(segment: SegmentMeta, inputs: GroupInputs): number {
  const { snapshot, policy, life, isForced = false } = inputs;
  const seen = whatIsSeen(segment, snapshot.channel(segment.channelId), life.since);
  if (isForced) {
    const hasDead = seen.pendingDeletes > 0 || seen.expiredRatio > 0 || isEnding(segment, life, null);
    return hasDead ? 1 : Number.POSITIVE_INFINITY;
  }
  const before = inputs.examined.get(segment.id) ?? { pendingDeletes: 0, expiredRatio: 0, ending: null };
  const isMore = (now: number, then: number, step: number): boolean => now >= step && now >= then + step;
  const deletesStep = Math.max(1, policy.deadRatio * segment.rowCount);
  const isDue =
    isMore(seen.pendingDeletes, before.pendingDeletes, deletesStep) ||
    isMore(seen.expiredRatio, before.expiredRatio, policy.deadRatio) ||
    isEnding(segment, life, before.ending);
  if (!isDue) return Number.POSITIVE_INFINITY;
  return seen.pendingDeletes >= segment.rowCount ? 1 : Math.ceil(policy.deadRatio * segment.rowCount);
}

/** Of all its rows. */
function isExpired(segment: SegmentMeta, life: RowLife): boolean {
  if (BigInt(segment.maxTimestamp) < life.since) return true;
  const ends = endsOf(segment, life);
  return ends !== null && ends.isOfAll && ends.max <= life.end!.through;
}

/** Whether enough rows have ended as far as an examination knows, or, before any, one has. */
function isEnding(segment: SegmentMeta, life: RowLife, examined: Ending | null): boolean {
  if (life.end === null) return false;
  const isKnown = examined?.fieldId === life.end.field.id;
  const due = isKnown ? examined.through : (endsOf(segment, life)?.min ?? null);
  return due !== null && due <= life.end.through;
}

/** First and last time in the field that ends rows, and whether all of them have one; null when nothing is known of it. */
function endsOf(
  { stats }: SegmentMeta,
  { end }: RowLife,
): { readonly min: bigint; readonly max: bigint; readonly isOfAll: boolean } | null {
  const ofField = end === null ? undefined : stats.find(({ fieldId }) => fieldId === end.field.id);
  if (ofField === undefined) return null;
  return { min: BigInt(ofField.min), max: BigInt(ofField.max), isOfAll: ofField.nullCount === 0 };
}

/** What the catalog tells of a segment's dead rows: the deletes that may meet them, and how many have expired if they came evenly. */
export function whatIsSeen(
  segment: SegmentMeta,
  channel: ChannelMeta | undefined,
  livingSince: bigint,
): Omit<Examined, 'ending'> {
  const pending = channel?.deltas.filter((delta) => needsDelta(segment, delta)) ?? [];
  const [min, max] = [BigInt(segment.minTimestamp), BigInt(segment.maxTimestamp)];
  const span = Number(max - min);
  const expired = livingSince <= min ? 0 : span === 0 ? 1 : Math.min(1, Number(livingSince - min) / span);
  return {
    pendingDeletes: pending.reduce((sum, { rowCount }) => sum + rowCount, 0),
    expiredRatio: expired,
  };
}
