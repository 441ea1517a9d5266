import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDelta, encodeDelta, readDelta, writeDelta } from './delta.ts';
import type { DeleteBatch } from './segment.ts';
import { keysFromValues, valuesOf } from '../columns/index.ts';
import { createSimulatedHost } from '../host/simulated/index.ts';
import { createMemoryObjectStore } from '../object-store/memory/memory-object-store.ts';
import type { CollectionId, PartitionId } from '../schema/index.ts';
import { crc32c } from '../util/crc32c.ts';
import { decodePacket, encodePacket } from '../util/packet.ts';

const [first, second] = ['10', '11'] as PartitionId[];
const BATCHES: DeleteBatch[] = [
  {
    keys: keysFromValues('Int64', [3n, -(2n ** 63n), 3n]),
    timestamps: BigUint64Array.of(2n ** 63n, 1n, 5n),
    partitionIds: [first!, null, second!],
  },
  {
    keys: keysFromValues('VarChar', ['é', '']),
    timestamps: BigUint64Array.of(7n, 7n),
    partitionIds: [null, null],
  },
];

const contentOf = (deletes: DeleteBatch): unknown => [
  deletes.keys.type,
  valuesOf(deletes.keys),
  [...deletes.timestamps],
  deletes.partitionIds,
];

test('deletes come back from the object store', async () => {
  await using objectStore = createMemoryObjectStore({ host: createSimulatedHost() });
  const collectionId = '1' as CollectionId;
  for (const deletes of BATCHES) {
    const delta = await writeDelta({ objectStore, collectionId, deltaId: '77', deletes });
    assert.deepEqual(contentOf(await readDelta(objectStore, delta)), contentOf(deletes));
    assert.equal(delta.objectKey, 'delta/1/77.del');
    assert.equal(delta.sizeBytes, (await objectStore.stat(delta.objectKey)).sizeBytes);
    assert.deepEqual(contentOf(deletes), contentOf(BATCHES[BATCHES.indexOf(deletes)]!));
  }
  const delta = await writeDelta({ objectStore, collectionId, deltaId: '78', deletes: BATCHES[0]! });
  assert.deepEqual([delta.minTimestamp, delta.maxTimestamp], ['1', String(2n ** 63n)]);
  await assert.rejects(readDelta(objectStore, { ...delta, rowCount: 2 }), { code: 'CORRUPT_DATA' });
});

test('no changed or missing byte of deletes goes unnoticed', () => {
  const good = encodeDelta(BATCHES[0]!);
  for (let at = 0; at < good.byteLength; at++) {
    const bytes = good.slice();
    bytes[at]! ^= 1 << (at % 8);
    assert.throws(() => decodeDelta(bytes), { code: 'CORRUPT_DATA' }, `byte ${at}`);
    assert.throws(() => decodeDelta(good.subarray(0, at)), { code: 'CORRUPT_DATA' }, `${at} bytes`);
  }
});

test('deletes whose partitions are no list of ids are refused, also with the right checksum', () => {
  const good = encodeDelta(BATCHES[0]!);
  const { head, parts } = decodePacket(good.slice(16));
  for (const partitions of [undefined, {}, ['10', false, '11'], [{ length: 3 }, null, '11']]) {
    const packet = encodePacket({ head: { ...(head as object), partitions }, parts });
    const bytes = Buffer.concat([good.subarray(0, 16), packet]);
    bytes.writeUInt32LE(crc32c(packet), 8);
    assert.throws(() => decodeDelta(bytes), { code: 'CORRUPT_DATA', message: /list of partitions/ });
  }
});
