import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowBatch } from './column.ts';
import { packColumn, packRows, PartReader, unpackKeys, unpackRows } from './column-packet.ts';
import { scalarShape } from './column-shape.ts';
import { columnFromValues, valuesOf } from './column-values.ts';
import { sliceRows } from './row-batch.ts';
import { SeededRandom } from '../host/index.ts';
import { decodePacket, encodePacket, type JsonValue, type Packet } from '../util/packet.ts';
import { randomRows, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';

const schema = schemaOfAllTypes('Int64', 3);

function pack(batch: RowBatch): Packet {
  const parts: Uint8Array[] = [];
  return { head: packRows(batch, parts), parts };
}

function unpack(packet: Packet): RowBatch {
  const parts = new PartReader(packet.parts);
  const batch = unpackRows(packet.head, parts);
  parts.end();
  return batch;
}

function contentOf(batch: RowBatch): unknown {
  return [...batch.columns].map(([fieldId, column]) => [fieldId, column.type, valuesOf(column)]);
}

test(`rows of all types come back from a packet, also slices (seed ${testSeed})`, () => {
  const random = new SeededRandom(testSeed);
  for (const rowCount of [0, 1, 7, 8, 9, 100]) {
    const batch = randomRows(random, schema, rowCount);
    const from = random.below(rowCount + 1);
    for (const rows of [batch, sliceRows(batch, from, from + random.below(rowCount - from + 1))]) {
      const back = unpack(decodePacket(encodePacket(pack(rows))));
      assert.equal(back.rowCount, rows.rowCount);
      assert.deepEqual(contentOf(back), contentOf(rows));
    }
  }
});

test('an unsliced batch is packed and unpacked without copying', () => {
  const batch = randomRows(new SeededRandom(1), schema, 9);
  const packet = pack(batch);
  const buffers = new Set([...batch.columns.values()].flatMap(buffersOf));
  for (const part of packet.parts) assert.ok(buffers.has(part.buffer));
  const encoded = encodePacket(packet);
  for (const column of unpack(decodePacket(encoded)).columns.values()) {
    for (const buffer of buffersOf(column)) assert.equal(buffer, encoded.buffer);
  }
});

function buffersOf(column: object): ArrayBufferLike[] {
  return Object.values(column).flatMap((value: unknown) => {
    if (ArrayBuffer.isView(value)) return [value.buffer];
    return typeof value === 'object' && value !== null ? buffersOf(value) : [];
  });
}

const oneOf = (type: string, parts: Uint8Array[], more: object = {}): Packet => ({
  head: { rowCount: 2, columns: [{ fieldId: 100, type, length: 2, nullable: false, ...more }] } as JsonValue,
  parts,
});
const int32 = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
const bytes = (count: number): Uint8Array => new Uint8Array(count);

const DAMAGED: Record<string, Packet> = {
  'too few values': oneOf('Int64', [bytes(8)]),
  'too many values': oneOf('Int64', [bytes(24)]),
  'half a value': oneOf('Int32', [bytes(7)]),
  'a missing part': oneOf('Int32', []),
  'a part too many': oneOf('Int8', [bytes(2), bytes(1)]),
  'an unknown type': oneOf('Int128', [bytes(32)]),
  'a negative length': oneOf('Int8', [bytes(2)], { length: -1 }),
  'another length than the batch': oneOf('Int8', [bytes(3)], { length: 3 }),
  'a short validity bitmap': oneOf('Int8', [bytes(0), bytes(2)], { nullable: true }),
  'validity past the rows': oneOf('Int8', [Uint8Array.of(0b100), bytes(2)], { nullable: true }),
  'too few offsets': oneOf('VarChar', [int32(0, 1), bytes(1)]),
  'falling offsets': oneOf('VarChar', [int32(0, 2, 1), bytes(2)]),
  'negative offsets': oneOf('VarChar', [int32(-1, 0, 1), bytes(2)]),
  'offsets past the text': oneOf('JSON', [int32(0, 1, 3), bytes(2)]),
  'offsets past the elements': oneOf('Array', [int32(0, 1, 3), bytes(2)], {
    elements: { type: 'Int8', length: 2, nullable: false },
  }),
  'null elements': oneOf('Array', [int32(0, 1, 2), bytes(1), bytes(2)], {
    elements: { type: 'Int8', length: 2, nullable: true },
  }),
  'arrays of arrays': oneOf('Array', [int32(0, 0, 0), int32(0)], {
    elements: {
      type: 'Array',
      length: 0,
      nullable: false,
      elements: { type: 'Int8', length: 0, nullable: false },
    },
  }),
  'a vector without dimension': oneOf('FloatVector', [bytes(8)]),
  'a vector of dimension 0': oneOf('FloatVector', [bytes(0)], { dim: 0 }),
  'a dimension that does not fit': oneOf('FloatVector', [bytes(12)], { dim: 2 }),
  'a field twice': {
    head: {
      rowCount: 0,
      columns: [
        { fieldId: 100, type: 'Int8', length: 0, nullable: false },
        { fieldId: 100, type: 'Int8', length: 0, nullable: false },
      ],
    },
    parts: [bytes(0), bytes(0)],
  },
  'no columns': { head: { rowCount: 0 }, parts: [] },
  'no object': { head: 7, parts: [] },
};

for (const [name, packet] of Object.entries(DAMAGED)) {
  test(`a packet with ${name} is refused`, () => {
    assert.throws(() => unpack(packet), { code: 'CORRUPT_DATA' });
  });
}

test('what cannot be primary keys is refused as such', () => {
  const packed = (type: 'Int64' | 'Int32', values: readonly (bigint | number | null)[]): Packet => {
    const parts: Uint8Array[] = [];
    return { head: packColumn(columnFromValues(scalarShape(type), values), parts), parts };
  };
  const unpacked = ({ head, parts }: Packet): unknown[] => valuesOf(unpackKeys(head, new PartReader(parts)));
  assert.deepEqual(unpacked(packed('Int64', [1n, 2n])), [1n, 2n]);
  assert.throws(() => unpacked(packed('Int64', [1n, null])), { code: 'CORRUPT_DATA' });
  assert.throws(() => unpacked(packed('Int32', [1])), { code: 'CORRUPT_DATA' });
});
