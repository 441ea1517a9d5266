import { DataType } from '@zilliz/milvus2-sdk-node';
import { SeededRandom, type Random } from '../../src/host/index.ts';

/** A vector as the client takes and gives it. */
export type ClientVector = number[] | Record<string, number>;

/** A field of vectors of one type, and what a search of it must find. */
export interface VectorKind {
  readonly name: string;
  readonly field: object;
  readonly index: { readonly index_type: string; readonly metric_type: string; readonly params?: object };
  /** Which of two scores is better. */
  readonly smallerIsCloser: boolean;
  make(random: Random): ClientVector;
  /** null: no hit. */
  score(query: ClientVector, row: ClientVector): number | null;
}

const DIM = 8;

/** Small whole numbers, which every type holds exactly: so scores can be compared without a tolerance. */
const wholeNumbers = (random: Random): number[] => Array.from({ length: DIM }, () => random.below(17) - 8);
const bytes = (random: Random): number[] => Array.from({ length: 4 }, () => random.below(256));
const squaredDistance = (a: ClientVector, b: ClientVector): number =>
  (a as number[]).reduce((sum, value, index) => sum + (value - (b as number[])[index]!) ** 2, 0);
const product = (a: ClientVector, b: ClientVector): number =>
  (a as number[]).reduce((sum, value, index) => sum + value * (b as number[])[index]!, 0);

function sparse(random: Random): Record<string, number> {
  const dimensions = new Set(Array.from({ length: 1 + random.below(6) }, () => random.below(30)));
  if (random.below(5) === 0) dimensions.add(0xffff_fffe);
  const ascending = [...dimensions].sort((a, b) => a - b);
  return Object.fromEntries(ascending.map((dimension) => [String(dimension), 1 + random.below(9)]));
}

function sparseProduct(a: ClientVector, b: ClientVector): number | null {
  const other = b as Record<string, number>;
  const sum = Object.entries(a as Record<string, number>).reduce(
    (total, [dimension, value]) => total + value * (other[dimension] ?? 0),
    0,
  );
  return sum === 0 ? null : sum;
}

function bitsThatDiffer(a: ClientVector, b: ClientVector): number {
  return (a as number[]).reduce((sum, byte, index) => {
    const different = byte ^ (b as number[])[index]!;
    return sum + different.toString(2).replaceAll('0', '').length;
  }, 0);
}

function dense(name: string, data_type: DataType, index: VectorKind['index']): VectorKind {
  const isDistance = index.metric_type === 'L2';
  return {
    name,
    field: { name, data_type, dim: DIM },
    index,
    smallerIsCloser: isDistance,
    make: wholeNumbers,
    score: isDistance ? squaredDistance : product,
  };
}

/** One field of each type of vectors. */
export const VECTOR_KINDS: readonly VectorKind[] = [
  dense('floats', DataType.FloatVector, { index_type: 'AUTOINDEX', metric_type: 'L2' }),
  dense('halves', DataType.Float16Vector, { index_type: 'HNSW', metric_type: 'IP' }),
  dense('brains', DataType.BFloat16Vector, { index_type: 'AUTOINDEX', metric_type: 'L2' }),
  dense('bytes', DataType.Int8Vector, { index_type: 'HNSW', metric_type: 'L2' }),
  {
    name: 'bits',
    field: { name: 'bits', data_type: DataType.BinaryVector, dim: 32 },
    index: { index_type: 'AUTOINDEX', metric_type: 'HAMMING' },
    smallerIsCloser: true,
    make: bytes,
    score: bitsThatDiffer,
  },
  {
    name: 'words',
    field: { name: 'words', data_type: DataType.SparseFloatVector },
    index: {
      index_type: 'SPARSE_INVERTED_INDEX',
      metric_type: 'IP',
      params: { inverted_index_algo: 'DAAT_MAXSCORE' },
    },
    smallerIsCloser: false,
    make: sparse,
    score: sparseProduct,
  },
];

export type VectorRow = { readonly id: number } & Record<string, ClientVector | number>;

/** Rows of ids from `first` up; the same for the same seed and ids. */
export function vectorRows(kinds: readonly VectorKind[], count: number, first = 0, seed = 1): VectorRow[] {
  return Array.from({ length: count }, (_, index) => {
    const id = first + index;
    const random = new SeededRandom(seed).fork(`row ${id}`);
    return { id, ...Object.fromEntries(kinds.map((kind) => [kind.name, kind.make(random)])) };
  });
}

/** The best scores that a search of a field can give, best first. */
export function bestScores(
  kind: VectorKind,
  rows: readonly VectorRow[],
  query: ClientVector,
  count: number,
): number[] {
  const scores = rows.map((row) => kind.score(query, row[kind.name] as ClientVector));
  return scores
    .filter((score) => score !== null)
    .sort((a, b) => (kind.smallerIsCloser ? a - b : b - a))
    .slice(0, count);
}
