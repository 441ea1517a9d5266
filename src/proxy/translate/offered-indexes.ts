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

/** Types without files and parameters: the vectors are searched exactly. */
const EXACT: Readonly<Record<string, readonly VectorType[]>> = {
  FLAT: DENSE,
  BIN_FLAT: ['BinaryVector'],
};

const AUTOMATIC: Readonly<Record<VectorType, readonly string[]>> = {
  FloatVector: ['HNSW'],
  Float16Vector: ['HNSW'],
  BFloat16Vector: ['HNSW'],
  Int8Vector: ['HNSW'],
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
  return exact?.includes(type) === true ? { name, build: {} } : null;
}

function familyOf(name: string): string {
  return name.startsWith('BIN_') ? 'binary' : name.startsWith('SPARSE_') ? 'sparse' : 'dense';
}

function familyOfVectors(type: VectorType): string {
  return type === 'BinaryVector' ? 'binary' : type === 'SparseFloatVector' ? 'sparse' : 'dense';
}
