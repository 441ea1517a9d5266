import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes, mutateJson, pick } from '../mutate.ts';
import { keysFromValues } from '../../../src/columns/index.ts';
import type { PartitionId } from '../../../src/schema/index.ts';
import { decodeDelta, encodeDelta } from '../../../src/segment/delta.ts';
import { crc32c } from '../../../src/util/crc32c.ts';
import { decodePacket, encodePacket } from '../../../src/util/packet.ts';

const HEADER_BYTES = 16;
const partitionIds = ['10' as PartitionId, null, '11' as PartitionId];
const timestamps = BigUint64Array.of(3n, 2n ** 63n, 1n);

/** Objects with deletes, half of them with the checksum of their changed content. */
export const deltaTarget: FuzzTarget = {
  seeds: () => [
    encodeDelta({ keys: keysFromValues('Int64', [3n, -(2n ** 63n), 3n]), timestamps, partitionIds }),
    encodeDelta({ keys: keysFromValues('VarChar', ['é', '', 'x']), timestamps, partitionIds }),
  ],
  mutate(random, seeds) {
    if (random.below(2) === 0) return mutateBytes(random, seeds);
    const seed = pick(random, seeds);
    if (random.below(2) === 0) return mended(seed, mutateBytes(random, [seed.slice(HEADER_BYTES)]));
    const { head, parts } = decodePacket(seed.slice(HEADER_BYTES));
    return mended(seed, encodePacket({ head: mutateJson(random, head, [head]), parts }));
  },
  run(input) {
    const { keys, timestamps: times, partitionIds: partitions } = decodeDelta(input);
    if (times.length !== keys.length || partitions.length !== keys.length)
      throw new Error('keys, timestamps and partitions differ in number');
    const strange = partitions.find((id) => id !== null && typeof id !== 'string');
    if (strange !== undefined) throw new Error(`${JSON.stringify(strange)} is no partition`);
  },
};

function mended(seed: Uint8Array, packet: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([seed.subarray(0, HEADER_BYTES), packet]);
  bytes.writeUInt32LE(crc32c(packet), 8);
  return bytes;
}
