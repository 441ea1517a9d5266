import { NO_ROWS } from './byte-rows.ts';
import { ProtoReader } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';
import * as repeated from './repeated-reader.ts';

// The generated module takes all it needs from here.
export { NO_ROWS, repeated };

/**
 * One message of the protocol. `T` is what decoding gives: every field present, absent sub-messages and absent members of
 * a oneof are null. `Init` is what encoding takes: every field optional.
 */
export interface MessageType<T, Init> {
  readonly typeName: string;
  /** Typed arrays and bytes may be views of `buffer`. Throws `PARAMETER_INVALID`. */
  decode(buffer: Uint8Array): T;
  encode(message: Init, expectedBytes?: number): Uint8Array<ArrayBuffer>;
}

export function messageType<T, Init>(
  typeName: string,
  decode: (reader: ProtoReader, end: number) => T,
  encode: (writer: ProtoWriter, message: Init) => void,
): MessageType<T, Init> {
  return {
    typeName,
    decode: (buffer) => decode(new ProtoReader(buffer), buffer.length),
    encode: (message, expectedBytes) => {
      const writer = new ProtoWriter(expectedBytes);
      encode(writer, message);
      return writer.finish();
    },
  };
}

/** One RPC of a service. */
export interface MethodDescriptor<Request, ReplyInit> {
  readonly path: string;
  readonly request: MessageType<Request, never>;
  readonly reply: MessageType<unknown, ReplyInit>;
  /** Number of the reply's field of type Status; 0 = the reply is a Status itself; null = it has none. */
  readonly statusField: number | null;
}
