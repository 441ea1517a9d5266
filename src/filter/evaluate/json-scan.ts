import { sameBytes } from '../compile/bytes-set.ts';
import { canonicalNumber } from '../compile/canonical-number.ts';
import type { JsonSegment } from '../plan.ts';

/*
 * Finds a value inside a JSON text by skipping over the others: no object is built, and the rest of the row is never
 * decoded. Stored texts are valid JSON; where one is not, what cannot be read counts as missing.
 */

/** The offset of no value. */
export const MISSING = -1;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const SAFE_DIGITS_MAX = 15;
const EXACT_DIGITS_MAX = 40;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export type JsonKind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

/** Where the value at `path` begins in the text `bytes[start .. end)`, else `MISSING`. Of equal keys the first counts. */
export function findJson(
  bytes: Uint8Array,
  start: number,
  end: number,
  path: readonly JsonSegment[],
): number {
  let at = skipBlank(bytes, start, end);
  for (const segment of path) {
    if (at >= end) return MISSING;
    const opening = bytes[at]!;
    if (opening === OPEN_OBJECT) at = findMember(bytes, at + 1, end, segment.key);
    else if (opening === OPEN_ARRAY && segment.index >= 0) at = findElement(bytes, at, end, segment.index);
    else return MISSING;
    if (at === MISSING) return MISSING;
  }
  return at < end ? at : MISSING;
}

export function jsonKindAt(bytes: Uint8Array, at: number): JsonKind {
  switch (bytes[at]) {
    case QUOTE:
      return 'string';
    case OPEN_OBJECT:
      return 'object';
    case OPEN_ARRAY:
      return 'array';
    case 0x74: // t
    case 0x66: // f
      return 'boolean';
    case 0x6e: // n
      return 'null';
    default:
      return 'number';
  }
}

export function jsonBooleanAt(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x74;
}

/** The number at `at` in canonical form; NaN when there is none. Integers are exact up to 40 digits. */
export function jsonNumberAt(bytes: Uint8Array, at: number, end: number): bigint | number {
  const isNegative = bytes[at] === 0x2d;
  let whole = 0;
  let offset = isNegative ? at + 1 : at;
  const digits = offset;
  while (offset < end && isDigit(bytes[offset]!)) whole = whole * 10 + bytes[offset++]! - 0x30;
  const isInteger = offset >= end || !isNumberByte(bytes[offset]!);
  if (isInteger && offset > digits && offset - digits <= SAFE_DIGITS_MAX) return isNegative ? -whole : whole;
  while (offset < end && isNumberByte(bytes[offset]!)) offset++;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, offset - at).toString('latin1');
  if (isInteger && offset > digits && offset - digits <= EXACT_DIGITS_MAX)
    return canonicalNumber(BigInt(text));
  return text === '' ? NaN : canonicalNumber(Number(text));
}

/** Whether the number at `at` is written without fraction and exponent. */
export function isJsonInteger(bytes: Uint8Array, at: number, end: number): boolean {
  let offset = bytes[at] === 0x2d ? at + 1 : at;
  while (offset < end && isDigit(bytes[offset]!)) offset++;
  return offset >= end || !isNumberByte(bytes[offset]!);
}

/** UTF-8 bytes of a string value: a piece of the row, or of a copy when it has escapes. */
export interface JsonString {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The string at `at`; null when it is broken. */
export function jsonStringAt(bytes: Uint8Array, at: number, end: number): JsonString | null {
  const close = endOfString(bytes, at, end);
  if (close === MISSING) return null;
  if (!hasBackslash(bytes, at + 1, close - 1)) return { bytes, start: at + 1, end: close - 1 };
  const decoded = decodeString(bytes, at, close);
  return decoded === null ? null : { bytes: decoded, start: 0, end: decoded.length };
}

/** The offset of the first element of the array at `at`; `MISSING` when it is empty. */
export function firstElement(bytes: Uint8Array, at: number, end: number): number {
  const offset = skipBlank(bytes, at + 1, end);
  return offset >= end || bytes[offset] === CLOSE_ARRAY ? MISSING : offset;
}

/** The offset of the element after the one at `element`; `MISSING` when that is the last. */
export function nextElement(bytes: Uint8Array, element: number, end: number): number {
  let offset = skipBlank(bytes, skipValue(bytes, element, end), end);
  if (offset >= end || bytes[offset] !== COMMA) return MISSING;
  offset = skipBlank(bytes, offset + 1, end);
  return offset >= end ? MISSING : offset;
}

/** Of an object whose members start at `at`. */
function findMember(bytes: Uint8Array, at: number, end: number, key: Uint8Array): number {
  let offset = skipBlank(bytes, at, end);
  while (offset < end && bytes[offset] === QUOTE) {
    const close = endOfString(bytes, offset, end);
    if (close === MISSING) return MISSING;
    const isWanted = isKey(bytes, offset, close, key);
    offset = skipBlank(bytes, close, end);
    if (bytes[offset] !== COLON) return MISSING;
    offset = skipBlank(bytes, offset + 1, end);
    if (isWanted) return offset;
    offset = skipBlank(bytes, skipValue(bytes, offset, end), end);
    if (bytes[offset] !== COMMA) return MISSING;
    offset = skipBlank(bytes, offset + 1, end);
  }
  return MISSING;
}

function isKey(bytes: Uint8Array, open: number, close: number, key: Uint8Array): boolean {
  if (!hasBackslash(bytes, open + 1, close - 1)) return sameBytes(key, bytes, open + 1, close - 1);
  const decoded = decodeString(bytes, open, close);
  return decoded !== null && sameBytes(key, decoded, 0, decoded.length);
}

function findElement(bytes: Uint8Array, at: number, end: number, index: number): number {
  let element = firstElement(bytes, at, end);
  for (let position = 0; position < index && element !== MISSING; position++) {
    element = nextElement(bytes, element, end);
  }
  return element;
}

/** The offset after the value at `at`. Depth is counted, not followed: nesting costs no stack. */
function skipValue(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let offset = at;
  while (offset < end) {
    const byte = bytes[offset]!;
    if (byte === QUOTE) {
      const close = endOfString(bytes, offset, end);
      if (close === MISSING) return end;
      offset = close;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth++;
      offset++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return offset;
      depth--;
      offset++;
    } else if (byte === COMMA) {
      if (depth === 0) return offset;
      offset++;
      continue;
    } else {
      offset++;
      continue;
    }
    if (depth === 0) return offset;
  }
  return end;
}

/** The offset after the closing quote. */
function endOfString(bytes: Uint8Array, open: number, end: number): number {
  for (let offset = open + 1; offset < end; offset++) {
    const byte = bytes[offset]!;
    if (byte === QUOTE) return offset + 1;
    if (byte === BACKSLASH) offset++;
  }
  return MISSING;
}

function hasBackslash(bytes: Uint8Array, from: number, to: number): boolean {
  for (let offset = from; offset < to; offset++) if (bytes[offset] === BACKSLASH) return true;
  return false;
}

function decodeString(bytes: Uint8Array, open: number, close: number): Uint8Array | null {
  try {
    return encoder.encode(JSON.parse(decoder.decode(bytes.subarray(open, close))) as string);
  } catch {
    return null;
  }
}

function skipBlank(bytes: Uint8Array, at: number, end: number): number {
  let offset = at;
  while (offset < end) {
    const byte = bytes[offset]!;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return offset;
    offset++;
  }
  return offset;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Of a number in any form: digits, signs, a dot, an exponent. */
function isNumberByte(byte: number): boolean {
  return isDigit(byte) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x65 || byte === 0x45;
}
