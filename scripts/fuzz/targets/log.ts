import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate.ts';
import { createSimulatedHost } from '../../../src/host/simulated/index.ts';
import type { LogEntry } from '../../../src/log/log.ts';
import { ENTRY_HEADER_BYTES, encodeEntries, entryBytes } from '../../../src/log/local/entry-format.ts';
import { FILE_HEADER_BYTES, encodeFileHeader } from '../../../src/log/local/file-header.ts';
import { PartIndex } from '../../../src/log/local/part-index.ts';
import { readPart } from '../../../src/log/local/read-part.ts';
import type { Timestamp } from '../../../src/schema/index.ts';
import { crc32c } from '../../../src/util/crc32c.ts';

const COUNT = 6;
const FIRST = 10;
const PATH = '/log/part';
const { files } = createSimulatedHost();
const records = Array.from({ length: COUNT }, (_, index) => ({
  type: 1 + (index % 3),
  timestamp: BigInt(1_000 + index) as Timestamp,
  payload: new Uint8Array(index * 13).fill(index),
}));
// Each record is a write of its own, so that each says more was durable before it.
const entries = records.map((record, index) => encodeEntries([record], FIRST + index));
const fileOf = (kind: 'log' | 'seal'): Uint8Array =>
  Buffer.concat([
    encodeFileHeader({
      kind,
      epoch: 3,
      firstSequence: FIRST,
      lastSequence: kind === 'seal' ? FIRST + COUNT - 1 : 0,
    }),
    ...entries,
  ]);
await files.makeDirectory('/log');

/** Files of the log. Entries that are given are those that were written, in their order; a sealed file gives all or none. */
export const logTarget: FuzzTarget = {
  seeds: () => [fileOf('log'), fileOf('seal')],
  mutate: (random, seeds) => mutateBytes(random, random.below(2) === 0 ? seeds.slice(0, 1) : seeds.slice(1)),
  async run(input, random) {
    // A quarter has its checksums mended, to see what lies behind them.
    const isMended = random.below(4) === 0;
    const bytes = isMended ? mended(input) : input;
    await files.write(PATH, bytes);
    const kind = bytes[32] === 1 ? 'seal' : 'log';
    const endSequence = kind === 'seal' ? FIRST + COUNT : undefined;
    const part = { kind, epoch: 3, firstSequence: FIRST, endSequence, path: PATH } as const;
    const index = new PartIndex({ sequence: FIRST, offset: FILE_HEADER_BYTES });
    const found = await readPart(files, part, index, FIRST, 2 ** 20);
    if (!isMended) check(found, endSequence !== undefined);
  },
};

function check(found: readonly LogEntry[], isSealed: boolean): void {
  if (isSealed && found.length !== COUNT) throw new Error(`a sealed file gave ${found.length} entries`);
  for (const [index, { sequence, type, timestamp, payload }] of found.entries()) {
    const written = records[index];
    const isSame =
      written !== undefined &&
      sequence === FIRST + index &&
      type === written.type &&
      timestamp === written.timestamp &&
      Buffer.compare(payload, written.payload) === 0;
    if (!isSame) throw new Error(`entry ${index} is another than was written`);
  }
}

/** With the checksums that the header and the entries, as far as they can be told apart, should have. */
function mended(input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  const view = new DataView(bytes.buffer);
  if (bytes.byteLength < FILE_HEADER_BYTES) return bytes;
  view.setUint32(36, crc32c(bytes.subarray(0, 36)), true);
  for (let at = FILE_HEADER_BYTES; at + ENTRY_HEADER_BYTES <= bytes.byteLength;) {
    const end = at + entryBytes(view.getUint32(at + 8, true));
    if (end > bytes.byteLength) break;
    view.setUint32(at + 4, crc32c(bytes.subarray(at + 8, end)), true);
    at = end;
  }
  return bytes;
}
