import { bitmapBytes, countOnes } from './bitmap.ts';
import type {
  ArrayColumn,
  Column,
  PrimaryKeyColumn,
  RowBatch,
  ScalarColumn,
  SparseVectorColumn,
  VectorColumn,
} from './column.ts';
import { fixedColumn, isFixedColumn, isFixedType, isVectorColumn, type FixedType } from './column-shape.ts';
import { MishardsError } from '../errors/index.ts';
import { sliceColumn } from './row-batch.ts';
import { ELEMENT_TYPES, isDenseVectorType, SCALAR_TYPES, VECTOR_TYPES } from '../schema/index.ts';
import { JsonFields } from '../util/json-fields.ts';
import type { JsonValue } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';

const DATA_TYPES = [...SCALAR_TYPES, ...VECTOR_TYPES];

/** A column without its buffers. */
export type ColumnHead = { readonly [name: string]: JsonValue };

/** Takes the parts of a packet one after another, in the order in which they were packed. */
export class PartReader {
  readonly #parts: readonly Uint8Array[];
  #next = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  /** Never a `Buffer`, whose `slice` does not copy. */
  next(): Uint8Array {
    const part = this.#parts[this.#next++];
    if (part === undefined) throw corrupt(`the packet ends after ${this.#parts.length} parts`);
    return bytesOf(part);
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
  for (const [fieldId, column] of batch.columns) columns.push({ fieldId, ...packColumn(column, parts) });
  return { rowCount: batch.rowCount, columns };
}

/**
 * The batch as views into the parts. Every length, offset and bitmap is tested first: `CORRUPT_DATA` when one is wrong.
 * Text is not tested for being UTF-8.
 */
export function unpackRows(head: JsonValue | undefined, parts: PartReader): RowBatch {
  const fields = new JsonFields('rows', head);
  const rowCount = fields.count('rowCount');
  const columns = new Map<number, Column>();
  fields.objects('columns', (columnFields) => {
    const fieldId = columnFields.count('fieldId');
    const column = unpack(columnFields, parts);
    if (column.length !== rowCount)
      throw corrupt(`field ${fieldId} has ${column.length} rows instead of ${rowCount}`);
    if (columns.has(fieldId)) throw corrupt(`field ${fieldId} comes twice`);
    columns.set(fieldId, column);
  });
  return { rowCount, columns };
}

export function packColumn(column: Column, parts: Uint8Array[]): ColumnHead {
  const nullable = column.validity !== null;
  const head = { type: column.type, length: column.length, nullable };
  if (column.validity !== null) parts.push(column.validity);
  if (isFixedColumn(column)) {
    parts.push(bytesOf(column.values));
    return 'dim' in column ? { ...head, dim: column.dim } : head;
  }
  const { length } = column;
  const first = column.offsets[0]!;
  const last = column.offsets[length]!;
  parts.push(bytesOf(first === 0 ? column.offsets : column.offsets.map((offset) => offset - first)));
  if (column.type === 'Array')
    return { ...head, elements: packColumn(sliceColumn(column.elements, first, last), parts) };
  if (column.type === 'SparseFloatVector')
    parts.push(bytesOf(column.indices.subarray(first, last)), bytesOf(column.values.subarray(first, last)));
  else parts.push(column.bytes.subarray(first, last));
  return head;
}

/** As `unpackRows`, for one column. */
export function unpackColumn(head: JsonValue | undefined, parts: PartReader): Column {
  return unpack(new JsonFields('column', head), parts);
}

/** As `unpackColumn`, but refuses what cannot be a primary key. */
export function unpackKeys(head: JsonValue | undefined, parts: PartReader): PrimaryKeyColumn {
  const column = unpackColumn(head, parts);
  if (column.validity !== null && countOnes(column.validity) < column.length)
    throw corrupt('a primary key is null');
  if (column.type === 'Int64') return column;
  if (column.type === 'VarChar') return column as PrimaryKeyColumn;
  throw corrupt(`a column of ${column.type} cannot be a primary key`);
}

/** As `unpackColumn`, but refuses what is no vector. */
export function unpackVectors(head: JsonValue | undefined, parts: PartReader): VectorColumn {
  const column = unpackColumn(head, parts);
  if (isVectorColumn(column)) return column;
  throw corrupt(`a column of ${column.type} came where vectors belong`);
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

function unpack(fields: JsonFields, parts: PartReader): Column {
  const type = fields.oneOf('type', DATA_TYPES);
  const length = fields.count('length');
  const validity = fields.flag('nullable') ? checkedValidity(parts.next(), length) : null;
  if (isFixedType(type)) return unpackFixed(fields, type, length, validity, parts.next());
  const offsets = viewAs(Int32Array, parts.next());
  if (offsets.length !== length + 1) throw corrupt(`${offsets.length} offsets for ${length} rows of ${type}`);
  if (type === 'Array') return unpackArray(fields, { length, validity, offsets }, parts);
  if (type === 'SparseFloatVector') return unpackSparse({ length, validity, offsets }, parts);
  const bytes = parts.next();
  checkOffsets(offsets, bytes.byteLength);
  return { type, length, validity, offsets, bytes };
}

function unpackSparse(
  rows: Pick<SparseVectorColumn, 'length' | 'validity' | 'offsets'>,
  parts: PartReader,
): SparseVectorColumn {
  const indices = viewAs(Uint32Array, parts.next());
  const values = viewAs(Float32Array, parts.next());
  checkOffsets(rows.offsets, indices.length);
  if (values.length !== indices.length)
    throw corrupt(`${indices.length} indices have ${values.length} values`);
  return { type: 'SparseFloatVector', ...rows, indices, values };
}

function unpackFixed(
  fields: JsonFields,
  type: FixedType,
  length: number,
  validity: Uint8Array | null,
  part: Uint8Array,
): Column {
  const dim = isDenseVectorType(type) ? fields.count('dim') : null;
  if (dim === 0 || (type === 'BinaryVector' && dim! % 8 !== 0))
    throw corrupt(`a column of ${type} has dimension ${dim}`);
  return fixedColumn({ type, elementType: null, dim }, part, length, validity);
}

function unpackArray(
  fields: JsonFields,
  rows: Pick<ArrayColumn, 'length' | 'validity' | 'offsets'>,
  parts: PartReader,
): ArrayColumn {
  const elements = unpackColumn(fields.raw['elements'], parts);
  const elementType = ELEMENT_TYPES.find((type) => type === elements.type);
  if (elementType === undefined) throw corrupt(`an array cannot hold ${elements.type}`);
  if (elements.validity !== null) throw corrupt('an array element cannot be null');
  checkOffsets(rows.offsets, elements.length);
  return { type: 'Array', ...rows, elementType, elements: elements as ScalarColumn };
}

function checkedValidity(bitmap: Uint8Array, length: number): Uint8Array {
  if (bitmap.byteLength !== bitmapBytes(length))
    throw corrupt(`a validity bitmap of ${bitmap.byteLength} bytes for ${length} rows`);
  if (length % 8 !== 0 && bitmap.at(-1)! >>> (length % 8) !== 0)
    throw corrupt('a validity bitmap has bits past its rows');
  return bitmap;
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', message);
}
