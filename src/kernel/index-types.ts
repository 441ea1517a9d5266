import { MishardsError } from '../errors/index.ts';
import type { KernelMetric, VectorFormat, VectorShape } from './kernel.ts';
import type { NumberParameter, Parameters, ParameterTable } from './parameters.ts';
import { readParameters } from './parameters.ts';
import { metricsOf } from './vectors.ts';

const integer = (min: number, max: number, fallback: number): NumberParameter => ({
  kind: 'integer',
  min,
  max,
  fallback,
});

/** Of ratios that must stay below 1. */
const RATIO_MAX = 0.999_999;
const fraction = (max: number, fallback: number): NumberParameter => ({
  kind: 'number',
  min: 0,
  max,
  fallback,
});

const SPARSE_ALGORITHMS = ['DAAT_MAXSCORE', 'DAAT_WAND', 'TAAT_NAIVE'] as const;
/**
 * Of sparse indexes beside the algorithm. None changes the file: nothing is dropped on building, as in Milvus since 2.5, and
 * searches bring BM25's numbers along, so that they can change without building anew.
 */
const SPARSE_BUILD = {
  drop_ratio_build: fraction(RATIO_MAX, 0),
  bm25_k1: fraction(3, 1.2),
  bm25_b: fraction(1, 0.75),
} as const;

/** What a type of index is built and searched with: Milvus's names, ranges and defaults. */
export interface IndexTypeSpec {
  /** Of the vectors it can be built over, with each metric they have. */
  readonly formats: readonly VectorFormat[];
  readonly build: ParameterTable;
  /** Names of `SEARCH_PARAMETERS` that it reads. */
  readonly search: readonly string[];
}

/** Indexes with files of their own; FLAT is the file of vectors itself. A new type is a row here and one in `native/src/index_registry.cc`. */
export const INDEX_TYPE_SPECS = {
  HNSW: {
    formats: ['float32', 'float16', 'bfloat16', 'int8'],
    build: { M: integer(2, 2_048, 30), efConstruction: integer(1, 2 ** 31 - 1, 360) },
    search: ['ef'],
  },
  IVF_FLAT: {
    formats: ['float32'],
    build: { nlist: integer(1, 65_536, 128) },
    search: ['nprobe'],
  },
  BIN_IVF_FLAT: {
    formats: ['binary'],
    build: { nlist: integer(1, 65_536, 128) },
    search: ['nprobe'],
  },
  SPARSE_INVERTED_INDEX: {
    formats: ['sparse'],
    build: {
      inverted_index_algo: { kind: 'choice', choices: SPARSE_ALGORITHMS, fallback: 'DAAT_MAXSCORE' },
      ...SPARSE_BUILD,
    },
    search: ['drop_ratio_search'],
  },
  SPARSE_WAND: {
    formats: ['sparse'],
    build: {
      // Clients name an algorithm here too. It decides nothing: all find the same, and this type says which is used.
      inverted_index_algo: { kind: 'choice', choices: SPARSE_ALGORITHMS, fallback: 'DAAT_WAND' },
      ...SPARSE_BUILD,
    },
    search: ['drop_ratio_search'],
  },
} as const satisfies Readonly<Record<string, IndexTypeSpec>>;

export type IndexType = keyof typeof INDEX_TYPE_SPECS;
export const INDEX_TYPES = Object.keys(INDEX_TYPE_SPECS) as readonly IndexType[];

/** Milvus's bound of `ef`. */
const EF_MAX = 32_768;

/** Search-time parameters of all types, whose defaults may depend on the hits wanted. */
export function searchParameters(k: number): ParameterTable {
  return {
    ef: integer(k, EF_MAX, Math.max(64, k)),
    nprobe: integer(1, 65_536, 8),
    drop_ratio_search: fraction(RATIO_MAX, 0),
  };
}

/** The specification of a type; undefined for one without files. */
export function indexTypeSpec(type: string): IndexTypeSpec | undefined {
  const specs: Readonly<Record<string, IndexTypeSpec>> = INDEX_TYPE_SPECS;
  return Object.hasOwn(specs, type) ? specs[type] : undefined;
}

/** Every build parameter of a type as a number. Errors: `INDEX_INVALID`. */
export function readBuildParams(type: IndexType, params: Parameters): Readonly<Record<string, number>> {
  return readParameters(params, INDEX_TYPE_SPECS[type].build, 'INDEX_INVALID');
}

/** Whether vectors of this format can have such an index, with some metric. */
export function indexTakes(type: IndexType, format: VectorFormat): boolean {
  const { formats }: IndexTypeSpec = INDEX_TYPE_SPECS[type];
  return formats.includes(format);
}

/** Whether vectors of this format can have such an index with this metric. Errors: `INDEX_INVALID`. */
export function checkIndexMetric(type: IndexType, metric: KernelMetric, { format }: VectorShape): void {
  const metrics = indexTakes(type, format) ? metricsOf(format) : [];
  if (metrics.includes(metric)) return;
  const cure = metrics.length > 0 ? `use one of ${metrics.join(', ')}` : 'build an index made for them';
  throw new MishardsError(
    'INDEX_INVALID',
    `${type} indexes do not take ${format} vectors with metric ${metric}; ${cure}`,
  );
}
