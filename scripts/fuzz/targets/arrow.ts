import { Footer } from 'apache-arrow/ipc/metadata/file';
import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes, pick } from '../mutate.ts';
import { createSimulatedHost } from '../../../src/host/simulated/index.ts';
import { decodeBitmap, decodeColumn, decodeTimestamps } from '../../../src/segment/arrow/arrow-column.ts';
import { readArrowFileEnd, verifyArrowFile } from '../../../src/segment/arrow/arrow-file.ts';
import { ArrowFileReader } from '../../../src/segment/arrow/arrow-file-reader.ts';
import { crc32c } from '../../../src/util/crc32c.ts';
import { randomRows, schemaOfAllTypes } from '../../../test/support/random-rows.ts';
import { segmentWorkshop } from '../../../test/support/segment-workshop.ts';

const PATH = '/fuzz/rows.arrow';
const { files } = createSimulatedHost();
await files.makeDirectory('/fuzz');

interface Seed {
  readonly bytes: Uint8Array;
  readonly crcOffset: number;
  readonly body: { readonly offset: number; readonly length: number };
}
const known: Seed[] = [];
/** Inputs whose checksum fits. */
const valid = new WeakSet<Uint8Array>();

/**
 * A segment's rows. A changed file is refused by its checksum. Half of the inputs have other buffers and the checksum of these:
 * they may hold any rows. Arrow's metadata is changed only with the wrong checksum: its parser trusts the lengths in it.
 */
export const arrowTarget: FuzzTarget = {
  async seeds(random) {
    await using workshop = await segmentWorkshop();
    for (const keyType of ['Int64', 'VarChar'] as const) {
      const schema = schemaOfAllTypes(keyType, 2);
      const rows = randomRows(random, schema, 5);
      const meta = await workshop.write(schema, rows, new BigUint64Array(5).fill(7n));
      const bytes = new Uint8Array(await workshop.objectStore.get(meta.rows.objectKey));
      known.push(await seedOf(bytes));
      valid.add(bytes);
    }
    return known.map(({ bytes }) => bytes);
  },
  mutate: (random, seeds) => {
    if (random.below(2) === 0) return mutateBytes(random, seeds);
    const { bytes, crcOffset, body } = pick(random, known);
    const mutated = bytes.slice();
    const changed = mutateBytes(random, [bytes.subarray(body.offset, body.offset + body.length)]);
    mutated.set(changed.subarray(0, body.length), body.offset);
    const crc = crc32c(mutated.subarray(crcOffset + 4), crc32c(mutated.subarray(0, crcOffset)));
    new DataView(mutated.buffer).setUint32(crcOffset, crc, true);
    valid.add(mutated);
    return mutated;
  },
  async run(input) {
    await files.write(PATH, input);
    await verifyArrowFile(files, PATH);
    const isSame = known.some(({ bytes }) => Buffer.compare(bytes, input) === 0);
    if (!isSame && !valid.has(input)) throw new Error('a changed file passed its checksum');
    const reader = await ArrowFileReader.open(files, PATH);
    for (const field of reader.fields) {
      const column = await reader.read(field);
      if (field.role === 'timestamp') decodeTimestamps(column);
      else if (field.role === 'vector-validity') decodeBitmap(column);
      else decodeColumn(field.shape, column);
    }
  },
};

async function seedOf(bytes: Uint8Array): Promise<Seed> {
  await files.write(PATH, bytes);
  const { crcOffset, footerOffset, footerBytes } = await readArrowFileEnd(files, PATH);
  const block = Footer.decode(bytes.subarray(footerOffset, footerOffset + footerBytes)).getRecordBatch(0)!;
  const body = { offset: block.offset + block.metaDataLength, length: block.bodyLength };
  return { bytes, crcOffset, body };
}
