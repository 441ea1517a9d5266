import { PartReader } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { JsonValue, Packet } from '../util/packet.ts';
import type { CallOptions, WireHandler, WirePeer } from '../wire/wire.ts';

/** How values travel as packets. Bulk goes into parts as it lies in memory; the head is small. */
export interface Codec<T> {
  encode(value: T): Packet;
  /** `CORRUPT_DATA` for a packet `encode` cannot have made. */
  decode(packet: Packet): T;
}

/** A call of a protocol: its name on the wire and the forms of request and answer. */
export interface Method<Request, Answer> {
  readonly name: string;
  readonly request: Codec<Request>;
  readonly answer: Codec<Answer>;
}

/** A codec from a function that fills parts and returns the head, and one that reads both back. */
export function packetCodec<T>(
  pack: (value: T, parts: Uint8Array[]) => JsonValue,
  unpack: (head: JsonValue, parts: PartReader) => T,
): Codec<T> {
  return {
    encode(value) {
      const parts: Uint8Array[] = [];
      return { head: pack(value, parts), parts };
    },
    decode(packet) {
      const parts = new PartReader(packet.parts);
      const value = unpack(packet.head, parts);
      parts.end();
      return value;
    },
  };
}

/** Calls the method at `peer`. Fails as the remote handler did, or as the wire does. */
export async function callMethod<Request, Answer>(
  peer: WirePeer,
  method: Method<Request, Answer>,
  request: Request,
  call: CallOptions,
): Promise<Answer> {
  return method.answer.decode(await peer.call(method.name, method.request.encode(request), call));
}

/** A method with what answers it. */
export type ServedMethod = readonly [name: string, serve: WireHandler];

export function serveMethod<Request, Answer>(
  method: Method<Request, Answer>,
  answer: (request: Request, call: CallOptions) => Promise<Answer>,
): ServedMethod {
  return [
    method.name,
    async (_name, request, context) =>
      method.answer.encode(await answer(method.request.decode(request), context)),
  ];
}

/** One handler for all methods of a node; others are refused with `NOT_SUPPORTED`. */
export function handlerOf(methods: readonly ServedMethod[]): WireHandler {
  const table = new Map(methods);
  return async (name, request, context) => {
    const serve = table.get(name);
    if (serve === undefined) throw new MishardsError('NOT_SUPPORTED', `this node has no method ${name}`);
    return await serve(name, request, context);
  };
}
