import assert from 'node:assert/strict';
import type { WriterCluster } from './writer-cluster.ts';
import { openCatalog } from '../../src/catalog/metastore-catalog.ts';
import { asKeys, keyAt, valueAt, type KeyValue, type PrimaryKeyColumn } from '../../src/columns/index.ts';
import { MemoryMetastore } from '../../src/metastore/memory/memory-metastore.ts';
import { primaryKeyField, type CollectionId, type PartitionId } from '../../src/schema/index.ts';
import { readDelta } from '../../src/segment/delta.ts';
import { decodeMutation } from '../../src/segment/mutation-codec.ts';
import { openSegment } from '../../src/segment/open-segment.ts';

export interface StoredRow {
  readonly key: KeyValue;
  readonly value: number;
  readonly partitionId: PartitionId;
  readonly timestamp: bigint;
}

interface StoredDelete {
  readonly key: KeyValue;
  readonly timestamp: bigint;
  readonly partitionId: PartitionId | null;
}

/** What shared storage says of a collection: catalog, segments, deltas and the logs behind the checkpoints. */
export interface ReadBack {
  /** Rows that are not deleted, by key; each key at most once. */
  readonly rows: ReadonlyMap<KeyValue, StoredRow>;
  /** Rows in segments, deleted or not. */
  readonly segmentRowCount: number;
  readonly logEntryCount: number;
}

/** Reads everything as a process would that has just started, with no help from a writer. */
export async function readBack(cluster: WriterCluster, id: CollectionId): Promise<ReadBack> {
  const { host, kernel } = cluster;
  await using metastore = new MemoryMetastore({ host, volume: cluster.metastoreVolume });
  await using catalog = await openCatalog({ metastore, timers: host.timers });
  await using log = await cluster.openLog();
  await using cache = await cluster.cache('read-back');
  const snapshot = catalog.snapshot();
  const { schema, partitions } = snapshot.collections.get(id)!;
  const rows: StoredRow[] = [];
  const deletes: StoredDelete[] = [];
  for (const meta of snapshot.segmentsOf(id)) {
    await using segment = await openSegment({ meta, schema, cache, kernel, host });
    const all = Uint32Array.from({ length: segment.rowCount }, (_, row) => row);
    const vectors = segment.readVectors(101, all).values;
    for (const row of all) {
      const key = keyAt(segment.keys, row);
      const timestamp = segment.timestamps[row]!;
      rows.push({ key, value: vectors[row * 2]!, partitionId: meta.partitionId, timestamp });
    }
  }
  const segmentRowCount = rows.length;
  let logEntryCount = 0;
  for (const channel of snapshot.channelsOf(id)) {
    for (const delta of channel.deltas) {
      const { keys, timestamps, partitionIds } = await readDelta(cluster.objectStore, delta);
      addDeletes(deletes, keys, (row) => [timestamps[row]!, partitionIds[row]!]);
    }
    for (let next = channel.checkpoint + 1; ;) {
      const entries = await log.read(channel.id, next, 2 ** 20);
      if (entries.length === 0) break;
      for (const entry of entries) {
        assert.equal(entry.sequence, next++);
        logEntryCount++;
        const mutation = decodeMutation(entry.type, entry.payload);
        if (mutation.kind === 'delete') {
          addDeletes(deletes, mutation.keys, () => [entry.timestamp, mutation.partitionId]);
          continue;
        }
        const keys = asKeys(mutation.rows.columns.get(primaryKeyField(schema).id)!);
        if (mutation.kind === 'upsert') addDeletes(deletes, keys, () => [entry.timestamp, null]);
        const vectors = mutation.rows.columns.get(101)!;
        for (let row = 0; row < mutation.rows.rowCount; row++) {
          const value = (valueAt(vectors, row) as Float32Array)[0]!;
          const { partitionId } = mutation;
          rows.push({ key: keyAt(keys, row), value, partitionId, timestamp: entry.timestamp });
        }
      }
    }
  }
  const existing = new Set(partitions.map((partition) => partition.id));
  const present = rows.filter((row) => existing.has(row.partitionId));
  return { rows: alive(present, deletes), segmentRowCount, logEntryCount };
}

function addDeletes(
  deletes: StoredDelete[],
  keys: PrimaryKeyColumn,
  of: (row: number) => readonly [timestamp: bigint, partitionId: PartitionId | null],
): void {
  for (let row = 0; row < keys.length; row++) {
    const [timestamp, partitionId] = of(row);
    deletes.push({ key: keyAt(keys, row), timestamp, partitionId });
  }
}

function alive(
  rows: readonly StoredRow[],
  deletes: readonly StoredDelete[],
): ReadonlyMap<KeyValue, StoredRow> {
  const deletesByKey = Map.groupBy(deletes, ({ key }) => key);
  const found = new Map<KeyValue, StoredRow>();
  for (const row of rows) {
    const isDeleted = deletesByKey
      .get(row.key)
      ?.some(
        ({ timestamp, partitionId }) =>
          row.timestamp < timestamp && (partitionId === null || partitionId === row.partitionId),
      );
    if (isDeleted === true) continue;
    assert.ok(!found.has(row.key), `key ${row.key} is alive twice`);
    found.set(row.key, row);
  }
  return found;
}
