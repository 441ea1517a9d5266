import assert from 'node:assert/strict';
import type { FuzzTarget } from '../fuzz-target.ts';
import { packRows } from '../../../src/columns/index.ts';
import { decodePacket, encodePacket } from '../../../src/util/packet.ts';
import { randomRows, schemaOfAllTypes } from '../../../test/support/random-rows.ts';

/** What travels between nodes and lies in the log. What is taken is the same after another round trip. */
export const packetTarget: FuzzTarget = {
  seeds: (random) => {
    const parts: Uint8Array[] = [];
    const head = packRows(randomRows(random, schemaOfAllTypes('Int64', 2), 3), parts);
    return [
      encodePacket({ head, parts }),
      encodePacket({ head: null, parts: [] }),
      encodePacket({ head: { a: ['é', 1.5, null] }, parts: [new Uint8Array(5), new Uint8Array(0)] }),
    ];
  },
  run(input) {
    const packet = decodePacket(input);
    const again = decodePacket(encodePacket(packet));
    assert.deepEqual(again.head, packet.head);
    assert.deepEqual(again.parts.map(contentOf), packet.parts.map(contentOf));
  },
};

const contentOf = (part: Uint8Array): string => Buffer.from(part).toString('latin1');
