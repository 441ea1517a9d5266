import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes, mutateJson, pick } from '../mutate.ts';
import { messageSeeds, type EncodedMessage } from '../message-seeds.ts';
import { READER_METHODS } from '../../../src/protocol/reader-methods.ts';
import { WRITER_METHODS } from '../../../src/protocol/writer-messages.ts';
import { decodeMutation } from '../../../src/segment/mutation-codec.ts';
import { decodePacket, encodePacket, type JsonValue } from '../../../src/util/packet.ts';

const METHODS = [...Object.values(READER_METHODS), ...Object.values(WRITER_METHODS)];
const CODECS = METHODS.flatMap(({ request, answer }) => [request, answer]);
/** Plus the type of a mutation; above it and below it there are codecs, or nothing. */
const MUTATION_TAG = 200;

/**
 * Requests and answers between nodes, and the log's mutations. The first byte says which codec reads the packet: also one that
 * it was not made for. Half of the inputs are whole packets with a changed head, which reach what stands behind the packet.
 */
export const messagesTarget: FuzzTarget = {
  seeds: (random) => messageSeeds(random).map(({ codec, packet }) => tagged(tagOf(codec), packet)),
  mutate(random, seeds) {
    if (random.below(2) === 0) return mutateBytes(random, seeds);
    const seed = pick(random, seeds);
    const { head, parts } = decodePacket(seed.slice(1));
    const others = [head, decodePacket(pick(random, seeds).slice(1)).head];
    const changed = { head: mutateJson(random, head, others) as JsonValue, parts };
    return tagged(seed[0]!, encodePacket(changed));
  },
  run(input) {
    const [tag = 0] = input;
    const bytes = input.slice(1);
    const codec = CODECS[tag];
    if (codec !== undefined) codec.decode(decodePacket(bytes));
    else decodeMutation(tag - MUTATION_TAG, bytes);
  },
};

function tagOf(codec: EncodedMessage['codec']): number {
  if (typeof codec === 'number') return MUTATION_TAG + codec;
  return CODECS.indexOf(codec as (typeof CODECS)[number]);
}

function tagged(tag: number, packet: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(tag), packet]);
}
