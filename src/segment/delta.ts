import type { DeltaMeta } from '../catalog/model.ts';
import { packColumn, PartReader, unpackKeys } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { CollectionId, PartitionId } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { crc32c } from '../util/crc32c.ts';
import { JsonFields } from '../util/json-fields.ts';
import { decodePacket, encodePacket, type JsonValue } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';
import { deltaKey } from './segment-keys.ts';
import type { DeleteBatch } from './segment.ts';

/* An object of deletes: 'MSHDDEL1', u32 CRC-32C of the packet, u32 0, then a packet with keys, timestamps and partitions. */
const MAGIC = new TextEncoder().encode('MSHDDEL1');
const HEADER_BYTES = 16;

export interface WriteDeltaOptions {
  readonly objectStore: ObjectStore;
  readonly collectionId: CollectionId;
  /** Unique in the collection. */
  readonly deltaId: string;
  /** At least one. */
  readonly deletes: DeleteBatch;
}

/** Stores deletes. They count for nobody before the returned description is committed to the catalog. */
export async function writeDelta(options: WriteDeltaOptions): Promise<DeltaMeta> {
  const { deletes, objectStore } = options;
  const rowCount = deletes.keys.length;
  assert(rowCount > 0, 'a delta has deletes');
  const bytes = encodeDelta(deletes);
  const objectKey = deltaKey(options.collectionId, options.deltaId);
  const { sizeBytes } = await objectStore.put(objectKey, bytes);
  const sorted = deletes.timestamps.slice().sort();
  return {
    objectKey,
    rowCount,
    sizeBytes,
    minTimestamp: String(sorted[0]!),
    maxTimestamp: String(sorted[rowCount - 1]!),
  };
}

/** Reads deletes back; `CORRUPT_DATA` when any byte changed. */
export async function readDelta(objectStore: ObjectStore, delta: DeltaMeta): Promise<DeleteBatch> {
  const deletes = decodeDelta(await objectStore.get(delta.objectKey));
  if (deletes.keys.length !== delta.rowCount)
    throw corrupt(`${delta.objectKey} has ${deletes.keys.length} keys, the catalog says ${delta.rowCount}`);
  return deletes;
}

export function encodeDelta(deletes: DeleteBatch): Uint8Array {
  const parts: Uint8Array[] = [];
  const keys = packColumn(deletes.keys, parts);
  const partitions = [...new Set(deletes.partitionIds)];
  const numbers = new Map(partitions.map((partitionId, number) => [partitionId, number]));
  const partitionNumbers = Uint32Array.from(deletes.partitionIds, (partitionId) => numbers.get(partitionId)!);
  parts.push(bytesOf(deletes.timestamps), bytesOf(partitionNumbers));
  const packet = encodePacket({ head: { keys, partitions }, parts });
  const bytes = new Uint8Array(HEADER_BYTES + packet.byteLength);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(MAGIC.byteLength, crc32c(packet), true);
  bytes.set(packet, HEADER_BYTES);
  return bytes;
}

export function decodeDelta(bytes: Uint8Array): DeleteBatch {
  const packet = bytes.subarray(HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < HEADER_BYTES || MAGIC.some((byte, index) => bytes[index] !== byte))
    throw corrupt('the object does not begin as deletes do');
  const [checksum, reserved] = [view.getUint32(8, true), view.getUint32(12, true)];
  if (checksum !== crc32c(packet) || reserved !== 0)
    throw corrupt('the checksum of the deletes does not fit them');
  const { head, parts: buffers } = decodePacket(packet);
  const fields = new JsonFields('delta', head);
  const parts = new PartReader(buffers);
  const keys = unpackKeys(fields.raw['keys'], parts);
  const timestamps = viewAs(BigUint64Array, parts.next());
  const partitionNumbers = viewAs(Uint32Array, parts.next());
  parts.end();
  const partitions = unpackPartitions(fields.raw['partitions']);
  if (timestamps.length !== keys.length || partitionNumbers.length !== keys.length)
    throw corrupt('the deletes have not one timestamp and partition each');
  const partitionIds = Array.from(partitionNumbers, (number) => {
    const partitionId = partitions[number];
    if (partitionId === undefined) throw corrupt(`the deletes have no partition ${number}`);
    return partitionId;
  });
  return { keys, timestamps, partitionIds };
}

function unpackPartitions(value: JsonValue | undefined): readonly (PartitionId | null)[] {
  const isList = Array.isArray(value) && value.every((id) => id === null || typeof id === 'string');
  if (!isList) throw corrupt('the deletes have no list of partitions');
  return value as readonly (PartitionId | null)[];
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', message);
}
