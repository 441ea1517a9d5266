import { checkFinite } from './field-data-checks.ts';
import type { VectorField } from './generated/milvus.js';
import { byteRowsOf } from './protobuf/byte-rows.ts';
import {
  elementsPerRow,
  fixedColumn,
  type DenseVectorColumn,
  type SparseVectorColumn,
  type VectorColumn,
} from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { isVectorType, type DenseVectorType, type FieldSchema } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';
import { firstNotFinite, toBfloat16, toFloat16 } from '../../util/half-floats.ts';
import { bytesOf } from '../../util/typed-views.ts';

const WORDS: Readonly<Record<DenseVectorType, string>> = {
  FloatVector: 'float',
  Float16Vector: 'float16',
  BFloat16Vector: 'bfloat16',
  Int8Vector: 'int8',
  BinaryVector: 'binary',
};
const ENTRY_BYTES = 8;
const INDEX_END = 0xffff_ffff;

/** The vectors a client sent for one field, checked, none of them null; null where it sent another kind. */
export function vectorColumn(field: FieldSchema, vectors: VectorField | null): VectorColumn | null {
  if (vectors === null) return null;
  const { type } = field;
  assert(isVectorType(type), `${type} is no vector type`);
  if (type === 'SparseFloatVector') {
    return vectors.sparseFloatVector === null ? null : sparseVectors(vectors.sparseFloatVector.contents);
  }
  const bytes = sentBytes(field, vectors);
  if (bytes === null) return null;
  const dim = field.dim!;
  if (vectors.dim !== BigInt(dim)) {
    throw invalid(
      `the dim (${vectors.dim}) of field data(${field.name}) is not equal to schema dim (${dim})`,
    );
  }
  const rowBytes = bytesPerVector(field);
  if (bytes.byteLength % rowBytes !== 0) {
    throw invalid(
      `the length(${(bytes.byteLength * dim) / rowBytes}) of ${WORDS[type]} data of field (${field.name}) should divide the dim(${dim})`,
    );
  }
  return denseVectors(field, bytes);
}

/** Bytes of one dense vector as clients send it. */
export function bytesPerVector(field: FieldSchema): number {
  const perRow = elementsPerRow(field);
  if (field.type === 'FloatVector') return perRow * 4;
  return field.type === 'Float16Vector' || field.type === 'BFloat16Vector' ? perRow * 2 : perRow;
}

/** Whole dense vectors as a column, a view where the bytes are aligned. NaN and infinities are refused. */
export function denseVectors(field: FieldSchema, bytes: Uint8Array): DenseVectorColumn {
  const type = field.type as DenseVectorType;
  const length = bytes.byteLength / bytesPerVector(field);
  const column = fixedColumn({ ...field, type }, bytes, length, null) as DenseVectorColumn;
  checkFiniteVectors(column, field);
  return column;
}

/**
 * Each row is entries of 8 bytes: u32 dimension, f32 value. Dimensions ascend without repeats and end below 2^32 - 1, values
 * are finite and not negative, as in Milvus.
 */
export function sparseVectors(rows: readonly Uint8Array[]): SparseVectorColumn {
  const { offsets: ends, bytes } = byteRowsOf(rows);
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(bytes.byteLength / 4));
  const floats = new Float32Array(words.buffer, 0, words.length);
  const count = Math.floor(bytes.byteLength / ENTRY_BYTES);
  const indices = new Uint32Array(count);
  const values = new Float32Array(count);
  const offsets = ends.map((end) => end / ENTRY_BYTES);
  for (let row = 0; row < rows.length; row++) {
    const length = rows[row]!.byteLength;
    if (length % ENTRY_BYTES !== 0) throw invalid(`invalid data length in sparse float vector: ${length}`);
    let previous = -1;
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) {
      indices[at] = words[2 * at]!;
      values[at] = floats[2 * at + 1]!;
      checkEntry(indices[at]!, values[at]!, previous, row);
      previous = indices[at]!;
    }
  }
  return { type: 'SparseFloatVector', length: rows.length, validity: null, offsets, indices, values };
}

/** 32-bit floats as the bytes of a field of half floats, as Milvus takes them too: what does not fit becomes infinite and is refused. */
export function roundedVectors(field: FieldSchema, values: Float32Array): Uint8Array {
  return bytesOf(field.type === 'Float16Vector' ? toFloat16(values) : toBfloat16(values));
}

function sentBytes(field: FieldSchema, vectors: VectorField): Uint8Array | null {
  const floats = vectors.floatVector?.data ?? null;
  switch (field.type as DenseVectorType) {
    case 'FloatVector':
      return floats && bytesOf(floats);
    case 'Float16Vector':
      return vectors.float16Vector ?? (floats && roundedVectors(field, floats));
    case 'BFloat16Vector':
      return vectors.bfloat16Vector ?? (floats && roundedVectors(field, floats));
    case 'Int8Vector':
      return vectors.int8Vector;
    case 'BinaryVector':
      return vectors.binaryVector;
  }
}

function checkFiniteVectors(column: DenseVectorColumn, field: FieldSchema): void {
  if (column.type === 'FloatVector') return checkFinite(column.values, field);
  if (column.type !== 'Float16Vector' && column.type !== 'BFloat16Vector') return;
  const index = firstNotFinite(column.values, column.type === 'Float16Vector' ? 'float16' : 'bfloat16');
  if (index === -1) return;
  throw invalid(
    `element ${index} of field ${field.name} is not a number, or an infinity, or out of the range of ${column.type}`,
  );
}

function checkEntry(index: number, value: number, previous: number, row: number): void {
  const complain = (what: string): never => {
    throw invalid(`${what}, row ${row}`);
  };
  if (index === INDEX_END) complain('invalid index in sparse float vector: must be less than 2^32-1');
  if (index <= previous) complain('unsorted or same indices in sparse float vector');
  if (!Number.isFinite(value))
    complain(`value '${value}' in sparse float vector is not a number or infinity`);
  if (value < 0) complain('negative value in sparse float vector');
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
