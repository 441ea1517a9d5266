import type { Column } from '../../columns/column.ts';
import { unreachable } from '../../util/assert.ts';

export type IntegerArray = Uint8Array | Int8Array | Int16Array | Int32Array;
export type FloatArray = Float32Array | Float64Array;

/** One value a row, in memory. `known`: bitmap of the rows that have one; null = all. The others' values mean nothing. */
export type Vector = IntegerVector | FloatVector | Int64Vector | StringVector;

interface VectorBase {
  readonly known: Uint8Array | null;
}
export interface IntegerVector extends VectorBase {
  readonly kind: 'integer';
  readonly values: IntegerArray;
}
/** Floats, and integers that a double holds exactly. */
export interface FloatVector extends VectorBase {
  readonly kind: 'float';
  readonly values: FloatArray;
}
export interface Int64Vector extends VectorBase {
  readonly kind: 'int64';
  readonly values: BigInt64Array;
}
/** Row i is `bytes[starts[i] .. ends[i])`, UTF-8. */
export interface StringVector extends VectorBase {
  readonly kind: 'string';
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A view of a column; nothing is copied. JSON, Array, Geometry and vector columns are not single values. */
export function vectorOf(column: Column): Vector {
  const known = column.validity;
  switch (column.type) {
    case 'Bool':
    case 'Int8':
    case 'Int16':
    case 'Int32':
      return { kind: 'integer', values: column.values, known };
    case 'Float':
    case 'Double':
      return { kind: 'float', values: column.values, known };
    case 'Int64':
    case 'Timestamptz':
      return { kind: 'int64', values: column.values, known };
    case 'VarChar':
      return {
        kind: 'string',
        bytes: column.bytes,
        starts: column.offsets.subarray(0, column.length),
        ends: column.offsets.subarray(1, column.length + 1),
        known,
      };
    default:
      return unreachable(column.type as never);
  }
}

/** Rows `from .. to`, for vectors whose rows are all known. */
export function sliceVector(vector: Vector, from: number, to: number): Vector {
  switch (vector.kind) {
    case 'integer':
      return { ...vector, values: vector.values.subarray(from, to) };
    case 'float':
      return { ...vector, values: vector.values.subarray(from, to) };
    case 'int64':
      return { ...vector, values: vector.values.subarray(from, to) };
    case 'string':
      return { ...vector, starts: vector.starts.subarray(from, to), ends: vector.ends.subarray(from, to) };
  }
}
