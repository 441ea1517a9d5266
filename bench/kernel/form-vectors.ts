import { loadEmbeddings } from '../../scripts/embeddings.ts';
import type { KernelMetric, VectorFormat, VectorShape, VectorValues } from '../../src/kernel/index.ts';
import { learnedSparse } from './sparse-data.ts';

export interface FormVectors {
  readonly name: string;
  readonly metric: KernelMetric;
  readonly shape: VectorShape;
  readonly values: VectorValues;
  /** On average. */
  readonly rowBytes: number;
}

const SPARSE_ENTRY_BYTES = Uint32Array.BYTES_PER_ELEMENT + Float32Array.BYTES_PER_ELEMENT;

/** GloVe rows, the signs of GloVe rows, or made sparse rows. */
export async function loadVectors(
  format: VectorFormat,
  rowCount: number,
  seed: number,
): Promise<FormVectors> {
  switch (format) {
    case 'float32': {
      const { dim, vectors } = await loadEmbeddings({ rows: rowCount, queries: 0, seed });
      return { name: 'glove', metric: 'IP', shape: { format, dim }, values: vectors, rowBytes: 4 * dim };
    }
    case 'binary': {
      const { dim, vectors } = await loadEmbeddings({ rows: rowCount, queries: 0, seed });
      const values = signsOf(vectors, dim);
      const bits = dim - (dim % 8);
      const shape = { format, dim: bits } as const;
      return { name: 'glove-signs', metric: 'HAMMING', shape, values, rowBytes: bits / 8 };
    }
    case 'sparse': {
      const { rows } = learnedSparse({ rowCount, queryCount: 0, seed });
      const rowBytes = (rows.indices.length * SPARSE_ENTRY_BYTES) / rowCount + Uint32Array.BYTES_PER_ELEMENT;
      return { name: 'learned', metric: 'IP', shape: { format, dim: 0 }, values: rows, rowBytes };
    }
    default:
      throw new RangeError(`no data of format ${format}; add some to form-vectors.ts`);
  }
}

/** A bit for each dimension, as many as whole bytes hold. */
function signsOf(vectors: Float32Array, dim: number): Uint8Array {
  const width = Math.floor(dim / 8);
  const signs = new Uint8Array((vectors.length / dim) * width);
  for (let byte = 0; byte < signs.length; byte++) {
    const start = Math.floor(byte / width) * dim + (byte % width) * 8;
    for (let bit = 0; bit < 8; bit++) if (vectors[start + bit]! > 0) signs[byte]! |= 1 << bit;
  }
  return signs;
}
