import type { ChannelWriter } from './channel-writer.ts';
import type { FencedCatalog } from './fenced-catalog.ts';
import { mergeDeletes } from './merge-deletes.ts';
import type { MakingSession, ObjectsInMaking } from './objects-in-making.ts';
import type { WriterOptions } from './writer-options.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { encodeDocument } from '../catalog/document.ts';
import type { IdAllocator } from '../catalog/id-allocator.ts';
import { channelDocumentKey, segmentDocumentKey } from '../catalog/keys.ts';
import type { TimestampOracle } from '../catalog/timestamp-oracle.ts';
import { settledThrough } from '../catalog/pending-deletes.ts';
import type { ChannelMeta, CollectionMeta, DeltaMeta, SegmentMeta } from '../catalog/model.ts';
import { sliceRows } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { ChannelId, LogSequence, SegmentId } from '../schema/index.ts';
import { readDelta, writeDelta } from '../segment/delta.ts';
import { deltaKey, segmentPrefix } from '../segment/segment-keys.ts';
import { writeSegment } from '../segment/segment-writer.ts';
import type { DeleteBatch, PartitionRows } from '../segment/segment.ts';

export interface FlushChannelOptions {
  readonly host: Pick<Host, 'files'>;
  readonly catalog: FencedCatalog;
  readonly ids: IdAllocator;
  readonly objectStore: ObjectStore;
  readonly kernel: Kernel;
  readonly temporaryDirectory: string;
  readonly making: ObjectsInMaking;
  readonly oracle: TimestampOracle;
  readonly limits: Pick<WriterOptions, 'segmentRowsMax' | 'deltasMax'>;
}

export interface Flushed {
  /** Everything up to it is in segments now. */
  readonly through: LogSequence;
  readonly segmentIds: readonly SegmentId[];
  readonly revision: number;
  /** Objects that the commit made superfluous. */
  readonly supersededKeys: readonly string[];
}

/**
 * A flush is one transaction of the metastore, which takes 512 writes. Its rows are copied without a pause, so their bytes are
 * bounded as well: a pause longer than the lease would end it, again and again.
 */
const CUT = { partitionsMax: 128, bytesMax: 2 ** 30 };
const SEGMENTS_MAX = 256;

/**
 * Writes what the channel has that is not in segments: one or more segments for each partition, and the deletes that older
 * segments need. All of it counts from the one transaction that also moves the checkpoint; before that, a failure leaves
 * nothing but objects that nobody names. Call it for one channel once at a time.
 */
export async function flushChannel(channel: ChannelWriter, options: FlushChannelOptions): Promise<Flushed> {
  using making = options.making.begin();
  const snapshot = await options.catalog.current();
  const collection = snapshot.collections.get(channel.collectionId);
  const before = snapshot.channel(channel.id);
  if (collection === undefined || before === undefined) throw dropped(channel);
  const through = channel.cut(CUT);
  const { partitions, deletes } = channel.fresh.copyThrough(through, collection.schema);
  const deletesThrough = newestOf(deletes);
  const flushed = { channel, collection, partitions, deletesThrough };
  const segments = await writeSegments(flushed, making, options);
  const oldSegments = snapshot
    .segmentsOf(collection.id)
    .filter((segment) => segment.channelId === channel.id);
  const deltas = await writeDeltas(before, deletes, oldSegments, making, options);
  const newestTimestamp = String(options.oracle.last);
  const revision = await options.catalog.change((present) =>
    commitOf({ channel: channel.id, through, segments, deltas, newestTimestamp }, present),
  );
  if (!(await options.catalog.current()).collections.has(collection.id)) throw dropped(channel);
  return {
    through,
    segmentIds: segments.map((segment) => segment.id),
    revision,
    supersededKeys: deltas.superseded.map((delta) => delta.objectKey),
  };
}

/** Rows of partitions that were dropped meanwhile are left out. */
async function writeSegments(
  { channel, collection, partitions, deletesThrough }: RowsToFlush,
  making: MakingSession,
  options: FlushChannelOptions,
): Promise<readonly SegmentMeta[]> {
  const existing = partitions.filter(({ partitionId }) =>
    collection.partitions.some((partition) => partition.id === partitionId),
  );
  const rowCount = existing.reduce((sum, { rows }) => sum + rows.rowCount, 0);
  const rowsMax = Math.max(
    options.limits.segmentRowsMax,
    Math.ceil(rowCount / (SEGMENTS_MAX - CUT.partitionsMax)),
  );
  const segments: SegmentMeta[] = [];
  for (const { partitionId, rows, timestamps } of existing) {
    for (let from = 0; from < rows.rowCount; from += rowsMax) {
      const to = Math.min(from + rowsMax, rows.rowCount);
      const segmentId = await options.ids.takeOne<SegmentId>();
      making.add(segmentPrefix(collection.id, segmentId));
      const segment = await writeSegment({
        ...options,
        collectionId: collection.id,
        segmentId,
        partitionId,
        channelId: channel.id,
        schema: collection.schema,
        schemaVersion: collection.schemaVersion,
        rows: sliceRows(rows, from, to),
        timestamps: timestamps.subarray(from, to),
        deletesThrough,
      });
      segments.push(segment);
    }
  }
  return segments;
}

interface RowsToFlush {
  readonly channel: ChannelWriter;
  readonly collection: CollectionMeta;
  readonly partitions: readonly PartitionRows[];
  /** The newest of the deletes that were applied to the rows. */
  readonly deletesThrough: bigint;
}

interface Deltas {
  /** null = these deletes meet no row in a segment. */
  readonly added: DeltaMeta | null;
  readonly superseded: readonly DeltaMeta[];
}

/** Deletes matter to older rows in segments only. When a channel has many delta objects, they become one. */
async function writeDeltas(
  channel: ChannelMeta,
  deletes: DeleteBatch,
  segments: readonly SegmentMeta[],
  making: MakingSession,
  options: FlushChannelOptions,
): Promise<Deltas> {
  const oldestRow = leastSettled(segments);
  const isMerging = channel.deltas.length >= options.limits.deltasMax;
  const old = isMerging ? channel.deltas : [];
  const batches = [deletes];
  for (const delta of old) batches.push(await readDelta(options.objectStore, delta));
  const merged = mergeDeletes(batches, oldestRow);
  if (merged === null) return { added: null, superseded: old };
  const deltaId = await options.ids.takeOne();
  making.add(deltaKey(channel.collectionId, deltaId));
  const added = await writeDelta({
    objectStore: options.objectStore,
    collectionId: channel.collectionId,
    deltaId,
    deletes: merged,
  });
  return { added, superseded: old };
}

interface FlushCommit {
  readonly channel: ChannelId;
  readonly through: LogSequence;
  readonly segments: readonly SegmentMeta[];
  readonly deltas: Deltas;
  readonly newestTimestamp: string;
}

/**
 * Segments of a partition that was dropped while they were written are committed too: as orphans they are found and removed.
 * Compaction may have dropped deltas meanwhile; they stay dropped.
 */
function commitOf(
  { channel, through, segments, deltas, newestTimestamp }: FlushCommit,
  present: CatalogSnapshot,
) {
  const puts = segments.map((segment) => put(segmentDocumentKey(segment.collectionId, segment.id), segment));
  const before = present.channel(channel);
  if (before === undefined) return puts;
  const superseded = new Set(deltas.superseded.map((delta) => delta.objectKey));
  const rest = before.deltas.filter((delta) => !superseded.has(delta.objectKey));
  const kept = deltas.added === null ? rest : [...rest, deltas.added];
  return [
    ...puts,
    put(channelDocumentKey(channel), { ...before, checkpoint: through, deltas: kept, newestTimestamp }),
  ];
}

const put = (key: string, document: object) =>
  ({ kind: 'put', key, value: encodeDocument(document) }) as const;

function newestOf({ timestamps }: DeleteBatch): bigint {
  return timestamps.reduce((newest, timestamp) => (timestamp > newest ? timestamp : newest), 0n);
}

/** Deletes at or before it meet no row of these segments. null = there are none. */
function leastSettled(segments: readonly SegmentMeta[]): bigint | null {
  let oldest: bigint | null = null;
  for (const segment of segments) {
    const timestamp = settledThrough(segment);
    if (oldest === null || timestamp < oldest) oldest = timestamp;
  }
  return oldest;
}

function dropped({ collectionId }: Pick<ChannelMeta, 'collectionId'>): MishardsError {
  return new MishardsError('COLLECTION_NOT_FOUND', `collection not found[collection=${collectionId}]`);
}
