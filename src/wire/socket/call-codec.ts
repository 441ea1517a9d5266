import { MishardsError, errorFromWire, errorToWire, type ErrorOnWire } from '../../errors/index.ts';
import { decodePacket, layoutPacket, type Packet } from '../../util/packet.ts';
import type { TraceCarrier } from '../wire.ts';
import type { EncodedBody } from './frame-outbox.ts';
import { META_BYTES_MAX, align8, violation, type Frame } from './frame.ts';

const NO_TRACE: TraceCarrier = Object.freeze({});
/** Longer messages of errors are cut: they are read by people. */
const ERROR_MESSAGE_LENGTH_MAX = 16_384;
const metaDecoder = new TextDecoder('utf-8', { fatal: true });

export interface DecodedRequest {
  readonly method: string;
  readonly trace: TraceCarrier;
  readonly packet: Packet;
}

/** Throws `PARAMETER_INVALID` or `PARAMETER_TOO_LARGE` for a method or trace that cannot travel. */
export function encodeRequest(method: string, trace: TraceCarrier | undefined, packet: Packet): EncodedBody {
  if (method === '' || method.includes('\n')) {
    throw new MishardsError('PARAMETER_INVALID', `"${method}" is not the name of a method`);
  }
  const meta = trace === undefined ? method : `${method}\n${JSON.stringify(trace)}`;
  const metaBytes = Buffer.byteLength(meta);
  if (metaBytes <= META_BYTES_MAX) return { meta, metaBytes, packet, layout: layoutPacket(packet) };
  throw new MishardsError(
    'PARAMETER_TOO_LARGE',
    `method and trace context have ${metaBytes} bytes, the limit is ${META_BYTES_MAX}`,
  );
}

export function encodeAnswer(packet: Packet): EncodedBody {
  return { meta: '', metaBytes: 0, packet, layout: layoutPacket(packet) };
}

export function encodeError(error: unknown): EncodedBody {
  const { code, message } = errorToWire(error);
  return encodeAnswer({ head: { code, message: message.slice(0, ERROR_MESSAGE_LENGTH_MAX) }, parts: [] });
}

export function decodeRequest(frame: Frame): DecodedRequest {
  const meta = decodeMeta(frame.body.subarray(0, frame.metaBytes));
  const packet = decodePacket(frame.body.subarray(align8(frame.metaBytes)));
  const lineEnd = meta.indexOf('\n');
  if (lineEnd === -1) return { method: meta, trace: NO_TRACE, packet };
  return { method: meta.slice(0, lineEnd), trace: decodeTrace(meta.slice(lineEnd + 1)), packet };
}

export function decodeError(frame: Frame): MishardsError {
  const { head } = decodePacket(frame.body);
  if (!isErrorOnWire(head)) throw violation('an error frame without code and message');
  return errorFromWire(head);
}

function decodeMeta(bytes: Uint8Array): string {
  try {
    return metaDecoder.decode(bytes);
  } catch (error) {
    throw violation('the method of a request is not UTF-8', error);
  }
}

function decodeTrace(json: string): TraceCarrier {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw violation('the trace context of a request is not JSON', error);
  }
  if (isTraceCarrier(value)) return value;
  throw violation('the trace context of a request is not an object of texts');
}

function isTraceCarrier(value: unknown): value is TraceCarrier {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((field) => typeof field === 'string');
}

function isErrorOnWire(value: unknown): value is ErrorOnWire {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'code' in value &&
    typeof value.code === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
