import { MishardsError } from '../../errors/index.ts';
import { INDEX_TYPES, indexTypeSpec } from '../../kernel/index-types.ts';
import type { ParameterTable } from '../../kernel/parameters.ts';
import { VECTOR_TYPES, type VectorType } from '../../schema/index.ts';
import { vectorFormat } from '../../segment/vector-columns.ts';

/** A type of index that a client can ask for. */
export interface OfferedIndexType {
  readonly name: string;
  readonly build: ParameterTable;
}

const DENSE: readonly VectorType[] = ['FloatVector', 'Float16Vector', 'BFloat16Vector', 'Int8Vector'];
const SPARSE_BUILD: ParameterTable = {
  inverted_index_algo: {
    kind: 'choice',
    choices: ['DAAT_MAXSCORE', 'DAAT_WAND', 'TAAT_NAIVE'],
    fallback: 'DAAT_MAXSCORE',
  },
  drop_ratio_build: { kind: 'number', min: 0, max: 0.999_999, fallback: 0 },
};

/** Types without files: the vectors are searched exactly. Those of the kernel come first where both have one. */
const EXACT: Readonly<
  Record<string, { readonly of: readonly VectorType[]; readonly build: ParameterTable }>
> = {
  FLAT: { of: DENSE, build: {} },
  BIN_FLAT: { of: ['BinaryVector'], build: {} },
  // Sparse vectors have no other types of index in Milvus, and what is exact finds all that these would.
  SPARSE_INVERTED_INDEX: { of: ['SparseFloatVector'], build: SPARSE_BUILD },
  SPARSE_WAND: { of: ['SparseFloatVector'], build: SPARSE_BUILD },
};

const AUTOMATIC: Readonly<Record<VectorType, readonly string[]>> = {
  FloatVector: ['HNSW'],
  Float16Vector: ['HNSW', 'FLAT'],
  BFloat16Vector: ['HNSW', 'FLAT'],
  Int8Vector: ['HNSW', 'FLAT'],
  BinaryVector: ['BIN_IVF_FLAT', 'BIN_FLAT'],
  SparseFloatVector: ['SPARSE_INVERTED_INDEX'],
};

/** What AUTOINDEX stands for: as in Milvus, or the exact search where that cannot be built yet. */
export function automaticIndexType(type: VectorType): string {
  return AUTOMATIC[type].find((name) => offered(name, type) !== null)!;
}

/** Errors: `INDEX_INVALID` for a type that Milvus does not have for such vectors, `NOT_SUPPORTED` for one that is not there yet. */
export function indexTypeOf(name: string, type: VectorType): OfferedIndexType {
  const found = offered(name, type);
  if (found !== null) return found;
  const isKnown = VECTOR_TYPES.some((other) => offered(name, other) !== null);
  if (isKnown && familyOf(name) !== familyOfVectors(type)) {
    throw new MishardsError('INDEX_INVALID', `data type ${type} can't build with this index ${name}`);
  }
  const names = [...Object.keys(EXACT), ...INDEX_TYPES].filter((other) => offered(other, type) !== null);
  throw new MishardsError(
    'NOT_SUPPORTED',
    `index type ${name} on ${type} is not supported yet; supported are ${[...names, 'AUTOINDEX'].join(', ')}`,
  );
}

function offered(name: string, type: VectorType): OfferedIndexType | null {
  const spec = indexTypeSpec(name);
  if (spec?.formats.includes(vectorFormat(type)) === true) return { name, build: spec.build };
  const exact = Object.hasOwn(EXACT, name) ? EXACT[name] : undefined;
  return exact?.of.includes(type) === true ? { name, build: exact.build } : null;
}

function familyOf(name: string): string {
  return name.startsWith('BIN_') ? 'binary' : name.startsWith('SPARSE_') ? 'sparse' : 'dense';
}

function familyOfVectors(type: VectorType): string {
  return type === 'BinaryVector' ? 'binary' : type === 'SparseFloatVector' ? 'sparse' : 'dense';
}
