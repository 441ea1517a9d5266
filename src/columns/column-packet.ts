import { bitmapBytes } from './bitmap.ts';
import type { ArrayColumn, Column, PrimaryKeyColumn, RowBatch } from './column.ts';
import { elementsPerRow, FIXED_ARRAYS, isFixedColumn, isFixedType, type FixedType } from './column-shape.ts';
import { MishardsError } from '../errors/index.ts';
import { sliceColumn } from './row-batch.ts';
import { SCALAR_TYPES, VECTOR_TYPES, type DataType } from '../schema/index.ts';
import type { JsonValue } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';

const COUNT_MAX = 0x7fff_ffff;

/** Takes the parts of a packet one after another, in the order in which they were packed. */
export class PartReader {
  readonly #parts: readonly Uint8Array[];
  #next = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  next(): Uint8Array {
    const part = this.#parts[this.#next++];
    if (part === undefined) throw corrupt(`the packet ends after ${this.#parts.length} parts`);
    return part;
  }

  /** Throws `CORRUPT_DATA` when parts are left over. */
  end(): void {
    const rest = this.#parts.length - this.#next;
    if (rest > 0) throw corrupt(`the packet has ${rest} parts too many`);
  }
}

/**
 * Describes a batch in JSON and appends its buffers to `parts`, as they are: values are never copied, except the offsets
 * of a slice. `unpackRows` with the same parts gives the batch back.
 */
export function packRows(batch: RowBatch, parts: Uint8Array[]): JsonValue {
  const columns: JsonValue[] = [];
  for (const [fieldId, column] of batch.columns) columns.push([fieldId, packColumn(column, parts)]);
  return { rowCount: batch.rowCount, columns };
}

/**
 * The batch as views into the parts. Every length, offset and bitmap is tested first: `CORRUPT_DATA` when one is wrong.
 * Text is not tested for being UTF-8.
 */
export function unpackRows(head: JsonValue | undefined, parts: PartReader): RowBatch {
  const record = asRecord(head, 'row batch');
  const rowCount = asCount(record['rowCount'], 'row count');
  const columns = new Map<number, Column>();
  for (const entry of asList(record['columns'], 'columns')) {
    const [id, columnHead] = asList(entry, 'column');
    const fieldId = asCount(id, 'field id');
    const column = unpackColumn(columnHead, parts);
    if (column.length !== rowCount)
      throw corrupt(`field ${fieldId} has ${column.length} rows instead of ${rowCount}`);
    if (columns.has(fieldId)) throw corrupt(`field ${fieldId} comes twice`);
    columns.set(fieldId, column);
  }
  return { rowCount, columns };
}

export function packColumn(column: Column, parts: Uint8Array[]): JsonValue {
  const nullable = column.validity !== null;
  const head = { type: column.type, length: column.length, nullable };
  if (column.validity !== null) parts.push(column.validity);
  if (isFixedColumn(column)) {
    parts.push(bytesOf(column.values));
    return column.type === 'FloatVector' ? { ...head, dim: column.dim } : head;
  }
  const { length } = column;
  const first = column.offsets[0]!;
  const last = column.offsets[length]!;
  parts.push(bytesOf(first === 0 ? column.offsets : column.offsets.map((offset) => offset - first)));
  if (column.type === 'Array')
    return { ...head, elements: packColumn(sliceColumn(column.elements, first, last), parts) };
  parts.push(column.bytes.subarray(first, last));
  return head;
}

/** As `unpackRows`, for one column. */
export function unpackColumn(head: JsonValue | undefined, parts: PartReader): Column {
  const record = asRecord(head, 'column');
  const type = asDataType(record['type']);
  const length = asCount(record['length'], 'length');
  const validity = record['nullable'] === true ? checkedValidity(parts.next(), length) : null;
  if (isFixedType(type)) return unpackFixed(record, type, length, validity, parts.next());
  const offsets = viewAs(Int32Array, parts.next());
  if (offsets.length !== length + 1) throw corrupt(`${offsets.length} offsets for ${length} rows of ${type}`);
  if (type === 'Array') return unpackArray(record, { length, validity, offsets }, parts);
  const bytes = parts.next();
  checkOffsets(offsets, bytes.byteLength);
  return { type, length, validity, offsets, bytes };
}

/** As `unpackColumn`, but refuses what cannot be a primary key. */
export function unpackKeys(head: JsonValue | undefined, parts: PartReader): PrimaryKeyColumn {
  const column = unpackColumn(head, parts);
  if (column.type === 'Int64') return column;
  if (column.type === 'VarChar') return column as PrimaryKeyColumn;
  throw corrupt(`a column of ${column.type} cannot be a primary key`);
}

/** Offsets must not fall, and stay within the `size` bytes or elements they divide. */
export function checkOffsets(offsets: Int32Array, size: number): void {
  let previous = 0;
  for (let index = 0; index < offsets.length; index++) {
    const offset = offsets[index]!;
    if (offset < previous) throw corrupt(`offset ${index} is ${offset}, below ${previous}`);
    previous = offset;
  }
  if (previous > size) throw corrupt(`offsets end at ${previous}, after ${size}`);
}

function unpackFixed(
  record: Readonly<Record<string, JsonValue | undefined>>,
  type: FixedType,
  length: number,
  validity: Uint8Array | null,
  part: Uint8Array,
): Column {
  const dim = type === 'FloatVector' ? asCount(record['dim'], 'dimension') : null;
  if (dim === 0) throw corrupt('a vector column has dimension 0');
  const values = viewAs<{ readonly length: number }>(FIXED_ARRAYS[type], part);
  const expected = length * elementsPerRow({ type, elementType: null, dim });
  if (values.length !== expected)
    throw corrupt(`${values.length} values instead of ${expected} in a column of ${type}`);
  return { type, length, validity, values, ...(dim === null ? {} : { dim }) } as Column;
}

function unpackArray(
  record: Readonly<Record<string, JsonValue | undefined>>,
  rows: Pick<ArrayColumn, 'length' | 'validity' | 'offsets'>,
  parts: PartReader,
): ArrayColumn {
  const elements = unpackColumn(record['elements'], parts);
  if (elements.type === 'Array' || elements.type === 'JSON' || elements.type === 'FloatVector')
    throw corrupt(`an array cannot hold ${elements.type}`);
  if (elements.validity !== null) throw corrupt('an array element cannot be null');
  checkOffsets(rows.offsets, elements.length);
  return { type: 'Array', ...rows, elementType: elements.type, elements };
}

function checkedValidity(bitmap: Uint8Array, length: number): Uint8Array {
  if (bitmap.byteLength !== bitmapBytes(length))
    throw corrupt(`a validity bitmap of ${bitmap.byteLength} bytes for ${length} rows`);
  if (length % 8 !== 0 && bitmap.at(-1)! >>> (length % 8) !== 0)
    throw corrupt('a validity bitmap has bits past its rows');
  return bitmap;
}

function asRecord(
  value: JsonValue | undefined,
  what: string,
): Readonly<Record<string, JsonValue | undefined>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw corrupt(`no ${what} in the head`);
  return value as Readonly<Record<string, JsonValue | undefined>>;
}

function asList(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw corrupt(`no ${what} in the head`);
  return value;
}

function asCount(value: JsonValue | undefined, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > COUNT_MAX)
    throw corrupt(`${JSON.stringify(value)} is no ${what}`);
  return value;
}

function asDataType(value: JsonValue | undefined): DataType {
  const type = [...SCALAR_TYPES, ...VECTOR_TYPES].find((candidate) => candidate === value);
  if (type === undefined) throw corrupt(`${JSON.stringify(value)} is no column type`);
  return type;
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', message);
}
