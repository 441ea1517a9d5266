import type { VectorFieldInit } from './generated/milvus.js';
import {
  bitAt,
  takeColumn,
  type DenseVectorColumn,
  type SparseVectorColumn,
  type VectorColumn,
} from '../../columns/index.ts';
import { bytesOf } from '../../util/typed-views.ts';

/** Clients expect null vectors to be left out. */
export function vectorsToWire(column: VectorColumn): VectorFieldInit {
  const present = presentVectors(column);
  if (present.type === 'SparseFloatVector') return sparseToWire(present);
  return { dim: BigInt(present.dim), ...denseToWire(present) };
}

function denseToWire(column: DenseVectorColumn): VectorFieldInit {
  switch (column.type) {
    case 'FloatVector':
      return { floatVector: { data: column.values } };
    case 'Float16Vector':
      return { float16Vector: bytesOf(column.values) };
    case 'BFloat16Vector':
      return { bfloat16Vector: bytesOf(column.values) };
    case 'Int8Vector':
      return { int8Vector: bytesOf(column.values) };
    case 'BinaryVector':
      return { binaryVector: column.values };
  }
}

/** Rows as clients send them. The dimension is the largest that occurs, and one. */
function sparseToWire(column: SparseVectorColumn): VectorFieldInit {
  let dim = 0;
  const contents = Array.from({ length: column.length }, (_, row) => {
    const [start, end] = [column.offsets[row]!, column.offsets[row + 1]!];
    const words = new Uint32Array(2 * (end - start));
    const floats = new Float32Array(words.buffer);
    for (let at = start; at < end; at++) {
      words[2 * (at - start)] = column.indices[at]!;
      floats[2 * (at - start) + 1] = column.values[at]!;
    }
    if (end > start) dim = Math.max(dim, column.indices[end - 1]! + 1);
    return bytesOf(words);
  });
  return { dim: BigInt(dim), sparseFloatVector: { dim: BigInt(dim), contents } };
}

function presentVectors(column: VectorColumn): VectorColumn {
  const { validity } = column;
  if (validity === null) return column;
  const rows = Array.from({ length: column.length }, (_, row) => row).filter((row) => bitAt(validity, row));
  return takeColumn(column, Uint32Array.from(rows)) as VectorColumn;
}
