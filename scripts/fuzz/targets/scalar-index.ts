import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes, mutateJson, pick } from '../mutate.ts';
import type { IndexMeta } from '../../../src/catalog/model.ts';
import { Turns } from '../../../src/host/index.ts';
import { createSimulatedHost } from '../../../src/host/simulated/index.ts';
import type { IndexId, SegmentId } from '../../../src/schema/index.ts';
import { readScalarIndex } from '../../../src/segment/scalar-index-file.ts';
import { writeScalarIndex } from '../../../src/segment/scalar-index-writer.ts';
import { crc32c } from '../../../src/util/crc32c.ts';
import { decodePacket, encodePacket } from '../../../src/util/packet.ts';
import { isOrderedType } from '../../../src/filter/index.ts';
import { randomRows, schemaOfAllTypes } from '../../../test/support/random-rows.ts';
import { segmentWorkshop } from '../../../test/support/segment-workshop.ts';

const PATH = '/fuzz/index';
const ROWS = 40;
/** Before the file: number of the field whose index it should be. */
const TAG_BYTES = 4;
const HEADER_BYTES = 16;
const host = createSimulatedHost();
const turns = new Turns(host, 1_000);
await host.files.makeDirectory('/fuzz');
let segmentId = '' as SegmentId;

/** Files of scalar indexes, two thirds of them with the checksum of their changed content. */
export const scalarIndexTarget: FuzzTarget = {
  async seeds(random) {
    await using workshop = await segmentWorkshop();
    const schema = schemaOfAllTypes('Int64', 2);
    const rows = randomRows(random, schema, ROWS);
    const segment = await workshop.write(schema, rows, new BigUint64Array(ROWS).fill(7n));
    segmentId = segment.id;
    const seeds: Uint8Array[] = [];
    for (const field of schema.fields) {
      const isGeometry = field.type === 'Geometry';
      if (field.isPrimaryKey || !(isOrderedType(field.type) || field.type === 'Array' || isGeometry))
        continue;
      const type = isGeometry ? 'RTREE' : 'INVERTED';
      const index: IndexMeta = {
        id: String(field.id) as IndexId,
        name: field.name,
        fieldId: field.id,
        requestedType: type,
        type,
        metric: null,
        params: {},
        createdTimestamp: '1',
      };
      const { objectKey } = await writeScalarIndex({
        buildId: '9',
        ...workshop,
        segment,
        index,
        schema,
      });
      seeds.push(tagged(field.id, await workshop.objectStore.get(objectKey)));
    }
    return seeds;
  },
  mutate(random, seeds) {
    if (random.below(3) === 0) return mutateBytes(random, seeds);
    const seed = pick(random, seeds);
    const file = seed.slice(TAG_BYTES);
    const packet = new Uint8Array(file.subarray(HEADER_BYTES));
    if (random.below(2) === 0) return mended(seed, mutateBytes(random, [packet]));
    const { head, parts } = decodePacket(packet);
    const part = random.below(parts.length);
    const changed =
      random.below(2) === 0
        ? { head: mutateJson(random, head, [head]), parts }
        : { head, parts: parts.with(part, mutateBytes(random, [parts[part]!])) };
    return mended(seed, encodePacket(changed));
  },
  async run(input) {
    if (input.byteLength < TAG_BYTES) return;
    const fieldId = new DataView(input.buffer, input.byteOffset).getUint32(0, true);
    await host.files.write(PATH, new Uint8Array(input.subarray(TAG_BYTES)));
    await readScalarIndex(host.files, PATH, { segmentId, fieldId, rowCount: ROWS }, turns);
  },
};

function tagged(fieldId: number, file: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([new Uint8Array(Uint32Array.of(fieldId).buffer), file]));
}

function mended(seed: Uint8Array, packet: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([seed.subarray(0, TAG_BYTES + HEADER_BYTES), packet]);
  bytes.writeUInt32LE(crc32c(packet), TAG_BYTES + 8);
  return bytes;
}
