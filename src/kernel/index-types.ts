import { MishardsError } from '../errors/index.ts';
import type { KernelMetric, VectorFormat, VectorShape } from './kernel.ts';
import type {
  ChoiceParameter,
  FlagParameter,
  NumberParameter,
  Parameters,
  ParameterTable,
} from './parameters.ts';
import { readParameters } from './parameters.ts';
import { metricsOf } from './vectors.ts';

const integer = (min: number, max: number, fallback: number): NumberParameter => ({
  kind: 'integer',
  min,
  max,
  fallback,
});
const flag = (fallback: boolean): FlagParameter => ({ kind: 'flag', fallback });
const choice = (fallback: string, ...choices: readonly string[]): ChoiceParameter => ({
  kind: 'choice',
  choices,
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
  /** Names of `searchParameters` that it reads. */
  readonly search: readonly string[];
  /** Null for parameters that fit vectors of this dimension, else what does not. */
  readonly defect?: (params: Parameters, dim: number) => string | null;
}

const GRAPH = { M: integer(2, 2_048, 30), efConstruction: integer(1, 2 ** 31 - 1, 360) };
/** The system's page cache takes the place of a cache of nodes, so its budget decides nothing. */
const GRAPH_ON_DISK = {
  max_degree: integer(1, 512, 56),
  search_list_size: integer(1, 2 ** 31 - 1, 100),
  pq_code_budget_gb_ratio: { kind: 'number', min: 0.000_001, max: 0.25, fallback: 0.125 },
  search_cache_budget_gb_ratio: fraction(0.299_999, 0.1),
} as const;
const LISTS = { nlist: integer(1, 65_536, 128) };
/** The exact vectors are always at hand, so every refinement is done from them, whatever type it names. */
const REFINE = {
  refine: flag(false),
  refine_type: choice('FP32', 'SQ6', 'SQ8', 'FP16', 'BF16', 'FP32', 'FLAT'),
};
/** 0 of m: as many parts as have at least four dimensions each. */
const PARTS = { m: integer(1, 65_536, 0), nbits: integer(1, 8, 8) };
const FLOATS = ['float32', 'float16', 'bfloat16', 'int8'] as const;

function partsDefect({ m }: Parameters, dim: number): string | null {
  if (m === undefined || dim % Number(m) === 0) return null;
  return `the dimension of a vector (dim) should be a multiple of the number of subquantizers (m): dim ${dim}, m ${m}`;
}

/** Indexes with files of their own; FLAT is the file of vectors itself. A new type is a row here and one in `native/src/index_registry.cc`. */
export const INDEX_TYPE_SPECS = {
  HNSW: { formats: FLOATS, build: GRAPH, search: ['ef'] },
  HNSW_SQ: {
    formats: FLOATS,
    build: { ...GRAPH, sq_type: choice('SQ8', 'SQ4U', 'SQ6', 'SQ8', 'BF16', 'FP16'), ...REFINE },
    search: ['ef', 'refine_k'],
  },
  HNSW_PQ: {
    formats: FLOATS,
    build: { ...GRAPH, ...PARTS, ...REFINE },
    search: ['ef', 'refine_k'],
    defect: partsDefect,
  },
  HNSW_PRQ: {
    formats: FLOATS,
    build: { ...GRAPH, ...PARTS, nrq: integer(1, 16, 2), ...REFINE },
    search: ['ef', 'refine_k'],
    defect: partsDefect,
  },
  IVF_FLAT: { formats: FLOATS, build: LISTS, search: ['nprobe'] },
  IVF_SQ8: { formats: FLOATS, build: LISTS, search: ['nprobe'] },
  IVF_PQ: {
    formats: FLOATS,
    build: { ...LISTS, ...PARTS },
    search: ['nprobe'],
    defect: partsDefect,
  },
  IVF_RABITQ: {
    formats: FLOATS,
    build: { ...LISTS, ...REFINE },
    search: ['nprobe', 'refine_k', 'rbq_query_bits'],
  },
  SCANN: {
    formats: FLOATS,
    build: { ...LISTS, with_raw_data: flag(true) },
    search: ['nprobe', 'reorder_k'],
  },
  DISKANN: { formats: FLOATS, build: GRAPH_ON_DISK, search: ['search_list', 'beam_width_ratio'] },
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
const K_MAX = 16_384;

/** Search-time parameters of all types, whose defaults and bounds may depend on the hits wanted. */
export function searchParameters(k: number): ParameterTable {
  return {
    ef: integer(k, EF_MAX, Math.max(64, k)),
    nprobe: integer(1, 65_536, 8),
    drop_ratio_search: fraction(RATIO_MAX, 0),
    refine_k: { kind: 'number', min: 1, max: K_MAX, fallback: 1 },
    /** 0 when nothing is said: as many as hits. */
    reorder_k: integer(1, 2 ** 31 - 1, 0),
    rbq_query_bits: integer(0, 8, 0),
    search_list: integer(k, 2 ** 31 - 1, Math.max(16, k)),
    beam_width_ratio: { kind: 'number', min: 1, max: 128, fallback: 4 },
  };
}

/** Candidates of graph searches, which cannot be fewer than the hits wanted. */
export const BREADTHS = ['ef', 'search_list'] as const;

/** The same search parameters for `k` hits: breadths that are named and below it are raised. */
export function paramsForHits(params: Parameters, k: number): Parameters {
  const raised = BREADTHS.filter((name) => typeof params[name] === 'number' && params[name] < k);
  return raised.length === 0 ? params : { ...params, ...Object.fromEntries(raised.map((name) => [name, k])) };
}

/** The specification of a type; undefined for one without files. */
export function indexTypeSpec(type: string): IndexTypeSpec | undefined {
  const specs: Readonly<Record<string, IndexTypeSpec>> = INDEX_TYPE_SPECS;
  return Object.hasOwn(specs, type) ? specs[type] : undefined;
}

/** Every build parameter of a type as a number, for vectors of this dimension. Errors: `INDEX_INVALID`. */
export function readBuildParams(
  type: IndexType,
  params: Parameters,
  dim: number,
): Readonly<Record<string, number>> {
  const spec: IndexTypeSpec = INDEX_TYPE_SPECS[type];
  const read = readParameters(params, spec.build, 'INDEX_INVALID');
  const defect = spec.defect?.(params, dim) ?? null;
  if (defect === null) return read;
  throw new MishardsError('INDEX_INVALID', defect);
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
