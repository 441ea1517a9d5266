import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePacket, encodePacket, encodedPacketBytes, layoutPacket } from './packet.ts';

test('a packet comes back from its encoding, parts aligned and not copied', () => {
  for (const sizes of [[], [0], [1, 8, 9], [3, 0, 4097]]) {
    const packet = {
      head: { name: 'é', list: [1, null, 'x'] },
      parts: sizes.map((size, index) => new Uint8Array(size).fill(index + 1)),
    };
    const bytes = encodePacket(packet);
    const decoded = decodePacket(bytes);
    assert.deepEqual(decoded, packet);
    assert.equal(bytes.byteLength, encodedPacketBytes(layoutPacket(packet).headBytes, packet.parts));
    for (const part of decoded.parts) {
      assert.equal(part.byteOffset % 8, 0);
      assert.equal(part.buffer, bytes.buffer);
    }
  }
});

test('bytes that are not exactly one packet are refused', () => {
  const bytes = encodePacket({ head: 'head', parts: [new Uint8Array(5)] });
  const longer = new Uint8Array(bytes.byteLength + 8);
  longer.set(bytes);
  for (const wrong of [longer, bytes.subarray(0, -1), bytes.subarray(0, 7), new Uint8Array(8)]) {
    assert.throws(() => decodePacket(wrong), { code: 'CORRUPT_DATA' });
  }
});
