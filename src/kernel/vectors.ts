import { DENSE_METRICS } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import type {
  DenseValues,
  KernelMetric,
  SparseValues,
  VectorFormat,
  VectorShape,
  VectorValues,
} from './kernel.ts';

export type DenseFormat = Exclude<VectorFormat, 'sparse'>;

const ARRAY_TYPES = {
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  binary: Uint8Array,
} as const satisfies Record<DenseFormat, unknown>;

const DENSE_DIM_MAX = 32_768;
const METRICS_BY_FORMAT: Readonly<Record<VectorFormat, readonly KernelMetric[]>> = {
  float32: DENSE_METRICS,
  float16: DENSE_METRICS,
  bfloat16: DENSE_METRICS,
  int8: DENSE_METRICS,
  binary: ['HAMMING', 'JACCARD'],
  sparse: ['IP', 'BM25'],
};

export function metricsOf(format: VectorFormat): readonly KernelMetric[] {
  return METRICS_BY_FORMAT[format];
}

export function isSparse(values: VectorValues): values is SparseValues {
  return 'offsets' in values;
}

/** Null for a shape that vectors can have, else what is wrong with it. */
export function shapeDefect({ format, dim }: VectorShape): string | null {
  if (format === 'sparse') return dim === 0 ? null : `the dimension of sparse vectors is 0, not ${dim}`;
  const step = format === 'binary' ? 8 : 1;
  const max = DENSE_DIM_MAX * step;
  if (Number.isInteger(dim) && dim >= 1 && dim <= max && dim % step === 0) return null;
  const kind = step === 1 ? 'whole number' : `multiple of ${step}`;
  return `dimension ${dim} of ${format} vectors is not a ${kind} in [1, ${max}]`;
}

/** Array elements of a dense row. */
export function rowWidth({ format, dim }: VectorShape): number {
  return format === 'binary' ? dim / 8 : dim;
}

/** Bytes of a dense row. */
export function rowBytes(shape: VectorShape): number {
  return rowWidth(shape) * arrayType(shape.format).BYTES_PER_ELEMENT;
}

/** Zeroed room for `rowCount` dense rows. */
export function newDenseValues(shape: VectorShape, rowCount: number): DenseValues {
  return new (arrayType(shape.format))(rowCount * rowWidth(shape));
}

/** Rows in `values`; a fraction when dense values end within a row. */
export function countVectors(shape: VectorShape, values: VectorValues): number {
  return isSparse(values) ? values.offsets.length - 1 : values.length / rowWidth(shape);
}

/** Null for whole rows of this shape, else what is wrong. Reads every entry of sparse vectors. */
export function vectorsDefect(shape: VectorShape, values: VectorValues): string | null {
  if (shape.format === 'sparse')
    return isSparse(values) ? sparseDefect(values) : 'the vectors are not sparse';
  if (isSparse(values)) return `the vectors are sparse, not ${shape.format}`;
  const type = arrayType(shape.format);
  if (!(values instanceof type)) return `${shape.format} vectors are a ${type.name}`;
  if (Number.isInteger(countVectors(shape, values))) return null;
  return `${values.length} values are not whole rows of ${rowWidth(shape)}`;
}

function sparseDefect({ offsets, indices, values }: SparseValues): string | null {
  if (offsets.length === 0 || offsets[0] !== 0) return 'the offsets of sparse vectors do not begin with 0';
  if (offsets.at(-1) !== indices.length || indices.length !== values.length) {
    return `the offsets end with ${offsets.at(-1)}; there are ${indices.length} indices and ${values.length} values`;
  }
  for (let row = 0; row + 1 < offsets.length; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!];
    if (start > end) return `the offsets of sparse vectors fall after row ${row}`;
    for (let at = start; at < end; at++) {
      if (at > start && indices[at]! <= indices[at - 1]!) return `the indices of row ${row} do not ascend`;
      if (indices[at] === 0xffff_ffff) return `an index of row ${row} is not below 2^32 - 1`;
      if (!Number.isFinite(values[at])) return `a value of row ${row} is not finite`;
    }
  }
  return null;
}

/** Rows [from, to) of `values`: a view, but for the offsets of sparse ones. */
export function sliceVectors(
  shape: VectorShape,
  values: VectorValues,
  from: number,
  to: number,
): VectorValues {
  if (!isSparse(values)) {
    const width = rowWidth(shape);
    return values.subarray(from * width, to * width);
  }
  const start = values.offsets[from]!;
  const end = values.offsets[to]!;
  return {
    offsets: values.offsets.subarray(from, to + 1).map((offset) => offset - start),
    indices: values.indices.subarray(start, end),
    values: values.values.subarray(start, end),
  };
}

/** A copy of `rows` of `values`, in their order. */
export function takeVectors(shape: VectorShape, values: VectorValues, rows: ArrayLike<number>): VectorValues {
  return isSparse(values) ? takeSparse(values, rows) : takeDense(shape, values, rows);
}

function takeDense(shape: VectorShape, values: DenseValues, rows: ArrayLike<number>): DenseValues {
  const width = rowWidth(shape);
  const out = newDenseValues(shape, rows.length);
  for (let index = 0; index < rows.length; index++) {
    out.set(values.subarray(rows[index]! * width, (rows[index]! + 1) * width), index * width);
  }
  return out;
}

function takeSparse({ offsets, indices, values }: SparseValues, rows: ArrayLike<number>): SparseValues {
  const taken = new Uint32Array(rows.length + 1);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    taken[index + 1] = taken[index]! + offsets[row + 1]! - offsets[row]!;
  }
  const count = taken[rows.length]!;
  const out = { offsets: taken, indices: new Uint32Array(count), values: new Float32Array(count) };
  for (let index = 0; index < rows.length; index++) {
    const [start, end] = [offsets[rows[index]!]!, offsets[rows[index]! + 1]!];
    out.indices.set(indices.subarray(start, end), taken[index]!);
    out.values.set(values.subarray(start, end), taken[index]!);
  }
  return out;
}

/** One after the other, for callers that gather sparse rows from several places. */
export function concatSparse(parts: readonly SparseValues[]): SparseValues {
  const rowCount = parts.reduce((sum, part) => sum + part.offsets.length - 1, 0);
  const count = parts.reduce((sum, part) => sum + part.indices.length, 0);
  const out = {
    offsets: new Uint32Array(rowCount + 1),
    indices: new Uint32Array(count),
    values: new Float32Array(count),
  };
  let row = 0;
  let at = 0;
  for (const { offsets, indices, values } of parts) {
    for (let index = 1; index < offsets.length; index++) out.offsets[++row] = at + offsets[index]!;
    out.indices.set(indices, at);
    out.values.set(values, at);
    at += indices.length;
  }
  return out;
}

function arrayType(format: VectorFormat): (typeof ARRAY_TYPES)[DenseFormat] {
  assert(format !== 'sparse', 'sparse vectors have no rows of one width');
  return ARRAY_TYPES[format];
}
