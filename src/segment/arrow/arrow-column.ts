import {
  bitAt,
  bitmapBytes,
  checkOffsets,
  countOnes,
  fixedColumn,
  isFixedColumn,
  isFixedType,
  newBitmap,
  scalarShape,
  setBit,
  sliceColumn,
  type ArrayColumn,
  type Column,
  type ColumnShape,
  type ScalarColumn,
} from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { assert } from '../../util/assert.ts';
import { bytesOf, viewAs } from '../../util/typed-views.ts';
import type { StoredField } from './arrow-schema.ts';

/** What the record batch says of a column: one node for itself and one for the elements of arrays. */
export interface ArrowNode {
  readonly length: number;
  readonly nullCount: number;
}

/** Nodes and buffers in Arrow's order: validity (empty when nothing is null), offsets, values; then those of the elements. */
export interface EncodedColumn {
  readonly nodes: readonly ArrowNode[];
  readonly buffers: readonly Uint8Array[];
}

const NO_BYTES = new Uint8Array(0);

/** Views of the column's values; only booleans (bits in Arrow) and the offsets of a slice are made anew. */
export function encodeColumn(column: Column): EncodedColumn {
  assert(column.type !== 'SparseFloatVector', 'vectors have files of their own');
  const { length, validity } = column;
  const nullCount = validity === null ? 0 : length - countOnes(validity);
  const node = { length, nullCount };
  const nulls = validity === null || nullCount === 0 ? NO_BYTES : validity;
  if (column.type === 'Bool') return { nodes: [node], buffers: [nulls, packBools(column.values)] };
  if (isFixedColumn(column)) return { nodes: [node], buffers: [nulls, bytesOf(column.values)] };
  const first = column.offsets[0]!;
  const last = column.offsets[length]!;
  const offsets = bytesOf(first === 0 ? column.offsets : column.offsets.map((offset) => offset - first));
  if (column.type !== 'Array')
    return { nodes: [node], buffers: [nulls, offsets, column.bytes.subarray(first, last)] };
  const elements = encodeColumn(sliceColumn(column.elements, first, last));
  return { nodes: [node, ...elements.nodes], buffers: [nulls, offsets, ...elements.buffers] };
}

export function encodeTimestamps(timestamps: BigUint64Array): EncodedColumn {
  return { nodes: [{ length: timestamps.length, nullCount: 0 }], buffers: [NO_BYTES, bytesOf(timestamps)] };
}

export function encodeBitmap(bitmap: Uint8Array, length: number): EncodedColumn {
  return { nodes: [{ length, nullCount: 0 }], buffers: [NO_BYTES, bitmap] };
}

/** Nodes and buffers that a column of the file has. */
export function countParts({ role, shape }: StoredField): {
  readonly nodes: number;
  readonly buffers: number;
} {
  const ofShape = (type: ColumnShape['type']): number => (isFixedType(type) ? 2 : 3);
  if (role !== 'value') return { nodes: 1, buffers: 2 };
  if (shape.type !== 'Array') return { nodes: 1, buffers: ofShape(shape.type) };
  assert(shape.elementType !== null, 'an array has an element type');
  return { nodes: 2, buffers: 2 + ofShape(shape.elementType) };
}

/** The reverse of `encodeColumn`: views into the buffers, their sizes and offsets tested. */
export function decodeColumn(shape: ColumnShape, { nodes, buffers }: EncodedColumn): Column {
  const [node] = nodes;
  const [nulls, second, third] = buffers;
  assert(
    node !== undefined && nulls !== undefined && second !== undefined,
    'a column has a node and two buffers',
  );
  const { length } = node;
  const validity = node.nullCount === 0 ? null : exactly(nulls, bitmapBytes(length));
  const { type } = shape;
  if (type === 'Bool') return { type, length, validity, values: unpackBools(second, length) };
  if (isFixedType(type)) return fixedColumn({ ...shape, type }, second, length, validity);
  const offsets = viewAs(Int32Array, exactly(second, (length + 1) * 4));
  if (type === 'Array') return decodeArray(shape, { length, validity, offsets }, nodes, buffers);
  assert(third !== undefined, 'text has three buffers');
  assert(type !== 'SparseFloatVector', 'vectors have files of their own');
  checkOffsets(offsets, third.byteLength);
  return { type, length, validity, offsets, bytes: third };
}

export function decodeTimestamps({ nodes, buffers }: EncodedColumn): BigUint64Array {
  return viewAs(BigUint64Array, exactly(buffers[1]!, nodes[0]!.length * 8));
}

export function decodeBitmap({ nodes, buffers }: EncodedColumn): Uint8Array {
  return exactly(buffers[1]!, bitmapBytes(nodes[0]!.length));
}

function decodeArray(
  { elementType }: ColumnShape,
  rows: Pick<ArrayColumn, 'length' | 'validity' | 'offsets'>,
  nodes: readonly ArrowNode[],
  buffers: readonly Uint8Array[],
): ArrayColumn {
  assert(elementType !== null, 'an array has an element type');
  const elements = decodeColumn(scalarShape(elementType), {
    nodes: nodes.slice(1),
    buffers: buffers.slice(2),
  });
  if (elements.validity !== null) throw corrupt('an array element is null');
  checkOffsets(rows.offsets, elements.length);
  return { type: 'Array', ...rows, elementType, elements: elements as ScalarColumn };
}

function packBools(values: Uint8Array): Uint8Array {
  const bits = newBitmap(values.length, 0);
  for (let row = 0; row < values.length; row++) if (values[row] !== 0) setBit(bits, row);
  return bits;
}

function unpackBools(bits: Uint8Array, length: number): Uint8Array {
  exactly(bits, bitmapBytes(length));
  const values = new Uint8Array(length);
  for (let row = 0; row < length; row++) values[row] = bitAt(bits, row) ? 1 : 0;
  return values;
}

function exactly(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.byteLength !== size) throw corrupt(`a buffer has ${bytes.byteLength} bytes instead of ${size}`);
  return bytes;
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', `in a segment file ${message}`);
}
