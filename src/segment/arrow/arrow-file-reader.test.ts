import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import { readArrowFileEnd } from './arrow-file.ts';
import { ArrowFileReader } from './arrow-file-reader.ts';
import { SeededRandom } from '../../host/index.ts';
import { createSimulatedHost } from '../../host/simulated/index.ts';
import { randomRows, schemaOfAllTypes } from '../../../test/support/random-rows.ts';
import { segmentWorkshop } from '../../../test/support/segment-workshop.ts';

const PATH = '/rows.arrow';

test('what the parser of Arrow stumbles over is told as damage', async () => {
  const { files } = createSimulatedHost();
  await using workshop = await segmentWorkshop();
  const schema = schemaOfAllTypes('Int64', 2);
  const rows = randomRows(new SeededRandom(1), schema, 3);
  const meta = await workshop.write(schema, rows, new BigUint64Array(3).fill(7n));
  const good = new Uint8Array(await workshop.objectStore.get(meta.rows.objectKey));
  await files.write(PATH, good);
  const { footerOffset, footerBytes } = await readArrowFileEnd(files, PATH);
  const footer = good.slice(footerOffset, footerOffset + footerBytes);
  const { offset, metaDataLength } = Footer.decode(footer).getRecordBatch(0)!;
  const damaged = {
    'the footer begins elsewhere': footerOffset,
    'the message begins elsewhere': offset + 8,
    'the buffers of the message lie elsewhere': offset + metaDataLength / 2,
  };
  for (const [what, at] of Object.entries(damaged)) {
    const bytes = good.slice();
    bytes.fill(0x7f, at, at + 64);
    await files.write(PATH, bytes);
    await assert.rejects(ArrowFileReader.open(files, PATH), { code: 'CORRUPT_DATA' }, what);
  }
});
