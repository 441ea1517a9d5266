/**
 * A repeated string or bytes field, kept as one block: element i is `bytes[offsets[i] .. offsets[i + 1])`, the layout of a
 * `BytesColumn`. Columns of text and JSON go through the front without ever becoming JavaScript strings.
 */
export interface ByteRows {
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

export const NO_ROWS: ByteRows = { offsets: new Int32Array(1), bytes: new Uint8Array(0) };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function byteRowCount(rows: ByteRows): number {
  return rows.offsets.length - 1;
}

export function byteRow(rows: ByteRows, index: number): Uint8Array {
  return rows.bytes.subarray(rows.offsets[index]!, rows.offsets[index + 1]!);
}

export function textRow(rows: ByteRows, index: number): string {
  return decoder.decode(byteRow(rows, index));
}

export function textRows(rows: ByteRows): string[] {
  return Array.from({ length: byteRowCount(rows) }, (_, index) => textRow(rows, index));
}

export function byteRowsOf(parts: readonly Uint8Array[]): ByteRows {
  const offsets = new Int32Array(parts.length + 1);
  parts.forEach((part, index) => (offsets[index + 1] = offsets[index]! + part.byteLength));
  const bytes = new Uint8Array(offsets[parts.length]!);
  parts.forEach((part, index) => bytes.set(part, offsets[index]!));
  return { offsets, bytes };
}

export function byteRowsOfTexts(texts: readonly string[]): ByteRows {
  return byteRowsOf(texts.map((text) => encoder.encode(text)));
}

export function concatByteRows(first: ByteRows, second: ByteRows): ByteRows {
  if (byteRowCount(first) === 0) return second;
  const firstEnd = first.offsets[first.offsets.length - 1]!;
  const offsets = new Int32Array(first.offsets.length + byteRowCount(second));
  offsets.set(first.offsets);
  for (let index = 1; index < second.offsets.length; index++) {
    offsets[first.offsets.length - 1 + index] = firstEnd + second.offsets[index]!;
  }
  const bytes = new Uint8Array(firstEnd + second.offsets[second.offsets.length - 1]!);
  bytes.set(first.bytes.subarray(0, firstEnd));
  bytes.set(second.bytes.subarray(0, bytes.length - firstEnd), firstEnd);
  return { offsets, bytes };
}
