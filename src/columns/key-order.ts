import type { Int64Column, PrimaryKeyColumn } from './column.ts';
import { compareKeys } from './primary-keys.ts';

/** Below it the passes of a radix sort cost more than comparisons. */
const RADIX_ROWS_MIN = 4_096;

/** The rows ascending by key, then timestamp, then row. */
export function sortedRows(keys: PrimaryKeyColumn, timestamps: BigUint64Array): Uint32Array {
  if (keys.length < RADIX_ROWS_MIN) return sortFew(keys, timestamps);
  return keys.type === 'Int64' ? sortIntegers(keys, timestamps) : sortTexts(keys, timestamps);
}

function sortFew(keys: PrimaryKeyColumn, timestamps: BigUint64Array): Uint32Array {
  const rows = Uint32Array.from({ length: keys.length }, (_, row) => row);
  return rows.sort((a, b) => compareKeys(keys, a, keys, b) || compareTimestamps(timestamps, a, b) || a - b);
}

function compareTimestamps(timestamps: BigUint64Array, a: number, b: number): number {
  const [timestampA, timestampB] = [timestamps[a]!, timestamps[b]!];
  return timestampA < timestampB ? -1 : timestampA > timestampB ? 1 : 0;
}

/** Least-significant-digit radix sort, which keeps the order of equal digits: by timestamp, then by key. */
function sortIntegers(keys: Int64Column, timestamps: BigUint64Array): Uint32Array {
  let rows = Uint32Array.from({ length: keys.length }, (_, row) => row);
  let spare = new Uint32Array(keys.length);
  const digitsOf = (values: BigInt64Array | BigUint64Array): Uint16Array =>
    new Uint16Array(values.buffer, values.byteOffset, values.length * 4);
  const passes = [
    ...[0, 1, 2, 3].map((digit) => ({ digits: digitsOf(timestamps), digit, flip: 0 })),
    ...[0, 1, 2, 3].map((digit) => ({
      digits: digitsOf(keys.values),
      digit,
      flip: digit === 3 ? 0x8000 : 0,
    })),
  ];
  const starts = new Uint32Array(0x10000);
  for (const { digits, digit, flip } of passes) {
    if (!sortByDigit(digits, digit, flip, rows, spare, starts)) continue;
    [rows, spare] = [spare, rows];
  }
  return rows;
}

/** One pass from `rows` into `target`; false, doing nothing, when all rows share the digit. `flip` makes signed order of the top digit. */
function sortByDigit(
  digits: Uint16Array,
  digit: number,
  flip: number,
  rows: Uint32Array,
  target: Uint32Array,
  starts: Uint32Array,
): boolean {
  starts.fill(0);
  for (let at = digit; at < digits.length; at += 4) starts[digits[at]! ^ flip]!++;
  if (rows.length === 0 || starts[digits[digit]! ^ flip] === rows.length) return false;
  let start = 0;
  for (let value = 0; value < starts.length; value++) {
    const count = starts[value]!;
    starts[value] = start;
    start += count;
  }
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    target[starts[digits[row * 4 + digit]! ^ flip]!++] = row;
  }
  return true;
}

const PREFIX_BYTES = 6;

function sortTexts(
  keys: Extract<PrimaryKeyColumn, { readonly type: 'VarChar' }>,
  timestamps: BigUint64Array,
): Uint32Array {
  const prefixes = new Float64Array(keys.length);
  for (let row = 0; row < keys.length; row++) {
    const start = keys.offsets[row]!;
    const end = keys.offsets[row + 1]!;
    let prefix = 0;
    for (let at = start; at < start + PREFIX_BYTES; at++)
      prefix = prefix * 256 + (at < end ? keys.bytes[at]! : 0);
    prefixes[row] = prefix;
  }
  const rows = Uint32Array.from({ length: keys.length }, (_, row) => row);
  return rows.sort((a, b) => {
    const byPrefix = prefixes[a]! - prefixes[b]!;
    if (byPrefix !== 0) return byPrefix;
    return compareKeys(keys, a, keys, b) || compareTimestamps(timestamps, a, b) || a - b;
  });
}
