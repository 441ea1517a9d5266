import {
  elementsPerRow,
  shapeOfColumn,
  type Column,
  type DenseVectorColumn,
  type SparseVectorColumn,
  type VectorColumn,
} from '../columns/index.ts';
import {
  newDenseValues,
  rowBytes,
  type ReadableVectors,
  type SparseValues,
  type VectorFormat,
  type VectorShape,
  type VectorValues,
} from '../kernel/index.ts';
import type { DenseVectorType, VectorType } from '../schema/index.ts';
import { assert } from '../util/assert.ts';

const FORMATS: Readonly<Record<VectorType, VectorFormat>> = {
  FloatVector: 'float32',
  Float16Vector: 'float16',
  BFloat16Vector: 'bfloat16',
  Int8Vector: 'int8',
  BinaryVector: 'binary',
  SparseFloatVector: 'sparse',
};
const TYPES = Object.fromEntries(Object.entries(FORMATS).map(([type, format]) => [format, type])) as Readonly<
  Record<VectorFormat, VectorType>
>;

export function vectorFormat(type: VectorType): VectorFormat {
  return FORMATS[type];
}

/** How the kernel calls the vectors of a column or field. */
export function vectorShape(vectors: {
  readonly type: VectorType;
  readonly dim?: number | null;
}): VectorShape {
  return { format: FORMATS[vectors.type], dim: vectors.dim ?? 0 };
}

/** Rows [from, to) as the kernel takes them: views, but for the offsets of sparse ones. Null rows are zeros or empty. */
export function vectorValues(column: VectorColumn, from = 0, to = column.length): VectorValues {
  if (column.type === 'SparseFloatVector') return sparseValues(column, from, to);
  const perRow = elementsPerRow(shapeOfColumn(column));
  return column.values.subarray(from * perRow, to * perRow);
}

/** Bytes that the kernel holds for a row before it comes: none for sparse vectors, whose rows differ. */
export function reservedRowBytes(column: VectorColumn): number {
  return column.type === 'SparseFloatVector' ? 0 : rowBytes(vectorShape(column));
}

/** Bytes of rows [from, to) of sparse vectors; 0 for dense ones, whose room is reserved. */
export function sparseBytes(column: VectorColumn, from: number, to: number): number {
  if (column.type !== 'SparseFloatVector') return 0;
  return (column.offsets[to]! - column.offsets[from]!) * 8 + (to - from) * 4;
}

/** A copy of some rows, in their order. `validity` is theirs. */
export function readVectorColumn(
  source: ReadableVectors,
  rows: Uint32Array,
  validity: Uint8Array | null,
): VectorColumn {
  const type = TYPES[source.format];
  const common = { length: rows.length, validity };
  if (type === 'SparseFloatVector') {
    const { offsets, indices, values } = source.readSparse(rows);
    return { ...common, type, offsets: Int32Array.from(offsets), indices, values };
  }
  const values = newDenseValues(source, rows.length);
  source.read(rows, values);
  return { ...common, type: type satisfies DenseVectorType, dim: source.dim, values } as DenseVectorColumn;
}

export function asVectors(column: Column): VectorColumn {
  assert(column.type in FORMATS, `a column of ${column.type} holds no vectors`);
  return column as VectorColumn;
}

function sparseValues(column: SparseVectorColumn, from: number, to: number): SparseValues {
  const { offsets, indices, values } = column;
  const [start, end] = [offsets[from]!, offsets[to]!];
  return {
    offsets: Uint32Array.from(offsets.subarray(from, to + 1), (offset) => offset - start),
    indices: indices.subarray(start, end),
    values: values.subarray(start, end),
  };
}
