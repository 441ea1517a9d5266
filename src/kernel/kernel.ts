import type { IndexType } from './index-types.ts';
import { METRICS, type Metric } from '../schema/index.ts';

/**
 * The vector engine under every search: C++ behind Node-API, on its own bounded thread pool. This contract is all that
 * the reader and the writer see of it.
 *
 * Scores: greater is closer, for every metric; `KernelMetric` says what each gives. Milvus's conventions are restored in
 * the proxy. A score that is not a number makes no hit.
 *
 * Lifetimes: a file or block that is disposed while a search uses it stays mapped until that search ends; a new search on
 * it is refused. Files are validated (magic, version, checksums, bounds) before use and refused with `CORRUPT_DATA`.
 */
export interface Kernel extends AsyncDisposable {
  readonly info: KernelInfo;

  /** Writes raw vectors, 64-byte aligned, with checksums, as a new file. `vectors` must not change until it resolves. */
  writeVectors(options: WriteVectorsOptions): Promise<FileReport>;
  /** Maps a file of raw vectors. It answers exact (FLAT) searches by itself and re-ranks for the indexes built over it. */
  openVectors(path: string): Promise<VectorFile>;

  /** Builds an index over mapped vectors into a new file at `path`. Errors: `INDEX_INVALID` for parameters, `CANCELLED`. */
  buildIndex(options: BuildIndexOptions): Promise<BuildReport>;
  /** Maps an index over its vectors; `CORRUPT_DATA` when it was built over others (rows, dimension or checksum differ). The index keeps the vectors mapped. */
  openIndex(path: string, vectors: VectorFile): Promise<VectorIndex>;

  /** Rows that can be searched while more are appended; dense rows take the memory of the whole capacity at once. */
  createBlock(options: VectorShape & { readonly capacity: number }): GrowingBlock;

  /** Searches all sources for all queries and reduces to one top-k a query. Never blocks the event loop. */
  search(request: KernelSearch): Promise<KernelHits>;
}

export interface KernelInfo {
  /** Instruction set in use: 'scalar', 'avx2', 'avx512' or 'neon'. */
  readonly instructionSet: string;
  /** Threads of the pool. */
  readonly threads: number;
}

export interface KernelOptions {
  /** Threads of the pool, 1 … 1024. */
  readonly threads: number;
  /** Searches and builds that may wait; more are refused with `OVERLOADED`. */
  readonly queueMax: number;
  /** For tests: an instruction set the processor has; default the best. */
  readonly instructionSet?: string;
}

export const VECTOR_FORMATS = ['float32', 'float16', 'bfloat16', 'int8', 'binary', 'sparse'] as const;
export type VectorFormat = (typeof VECTOR_FORMATS)[number];

/**
 * What the vectors of a field have in common. `dim` is 1 … 32 768 values; of binary vectors it counts bits, a multiple of
 * 8 up to 262 144; of sparse vectors it is 0.
 */
export interface VectorShape {
  readonly format: VectorFormat;
  readonly dim: number;
}

/**
 * Vectors or queries of one shape, row after row without gaps:
 *
 * | format | array | a row |
 * |---|---|---|
 * | float32 | Float32Array | dim values |
 * | float16, bfloat16 | Uint16Array | dim values, as their 16 bits (IEEE 754 half; the upper half of a float32) |
 * | int8 | Int8Array | dim values |
 * | binary | Uint8Array | dim / 8 bytes; which bit is which dimension does not matter to any metric |
 * | sparse | SparseValues | entries offsets[row] … offsets[row + 1] |
 *
 * Dense arrays may begin anywhere their element type allows. Float values may be NaN or infinite, sparse ones not.
 */
export type VectorValues = DenseValues | SparseValues;
export type DenseValues = Float32Array | Uint16Array | Int8Array | Uint8Array;

/** Rows in compressed sparse row form. An empty row is legal and never a hit. */
export interface SparseValues {
  /** One more than there are rows; from 0, ascending, to the number of entries. */
  readonly offsets: Uint32Array;
  /** Dimensions, strictly ascending in a row, each below 2^32 - 1. */
  readonly indices: Uint32Array;
  /** Finite; not negative where BM25 is asked for. */
  readonly values: Float32Array;
}

/**
 * - dense floats and int8: `L2` minus the squared distance, `IP` the inner product, `COSINE` the cosine of the angle (0
 *   where a vector is zero)
 * - binary: `HAMMING` minus the number of bits that differ; `JACCARD` minus (1 - bits of both / bits of either), -1 where
 *   neither has any
 * - sparse: `IP`; `BM25` the sum over the common dimensions of `query * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / averageLength))`,
 *   where rows hold term frequencies tf, length is the sum of a row, and queries hold inverse document frequencies. Rows
 *   whose score is 0, as those with no dimension in common, are no hits.
 */
export type KernelMetric = Metric | 'BM25';
export const KERNEL_METRICS = [...METRICS, 'BM25'] as const satisfies readonly KernelMetric[];

export interface Bm25 {
  /** In [0, 3]. */
  readonly k1: number;
  /** In [0, 1]. */
  readonly b: number;
  /** Mean sum of a row over the whole collection; more than 0. */
  readonly averageLength: number;
}

export interface WriteVectorsOptions extends VectorShape {
  readonly path: string;
  readonly vectors: VectorValues;
}

export interface FileReport {
  readonly sizeBytes: number;
}

/** Rows that can be read back. */
export interface ReadableVectors extends VectorShape {
  readonly rowCount: number;
  /** Dense: copies the vectors of `rows` (each below rowCount) into `out`, an array of the format's type that they fill exactly, in their order. */
  read(rows: Uint32Array, out: DenseValues): void;
  /** Sparse: the vectors of `rows`, in their order. */
  readSparse(rows: Uint32Array): SparseValues;
}

export interface VectorFile extends ReadableVectors, Disposable {
  readonly kind: 'vectors';
  /** Mapped bytes. */
  readonly sizeBytes: number;
}

export interface VectorIndex extends VectorShape, Disposable {
  readonly kind: 'index';
  readonly type: IndexType;
  readonly metric: KernelMetric;
  readonly rowCount: number;
  /** Mapped bytes of the index alone, without its vectors; of DISKANN, whose file is read where a search needs it, those in memory. */
  readonly sizeBytes: number;
}

export interface GrowingBlock extends ReadableVectors, Disposable {
  readonly kind: 'block';
  readonly capacity: number;
  /** Copies whole rows to the end; the capacity must not be exceeded. Searches under way do not see them. */
  append(vectors: VectorValues): void;
}

export interface BuildIndexOptions {
  readonly type: IndexType;
  /** One that the format of the vectors has. */
  readonly metric: KernelMetric;
  readonly vectors: VectorFile;
  readonly path: string;
  /** As in `INDEX_TYPE_SPECS`. Unknown names are refused. */
  readonly params: Readonly<Record<string, number | string | boolean>>;
  readonly seed: number;
  /** Threads of this build, at most the pool's. With 1 the file is a function of vectors, params and seed. */
  readonly threads: number;
  readonly signal?: AbortSignal;
  /** Called now and then with a fraction in [0, 1]. */
  readonly onProgress?: (fraction: number) => void;
}

export interface BuildReport extends FileReport {
  readonly peakBytes: number;
}

export interface SearchSource {
  readonly data: VectorFile | VectorIndex | GrowingBlock;
  /** Rows [0, rowCount) are searched; for files it must be all of them. */
  readonly rowCount: number;
  /** Bitmap over the rows, least significant bit first; only rows with a 1 are returned. null = all. Must not shrink while the search runs. */
  readonly allowed: Uint8Array | null;
}

/** `format` and `dim` are those of the queries and of every source. */
export interface KernelSearch extends VectorShape {
  readonly sources: readonly SearchSource[];
  /** One that the format has. */
  readonly metric: KernelMetric;
  /** For BM25, and only for it. */
  readonly bm25?: Bm25;
  /** queryCount rows; must not change until the search resolves. */
  readonly queries: VectorValues;
  readonly queryCount: number;
  /** Hits a query, 1 … 16 384. */
  readonly k: number;
  /**
   * Per-query parameters by Milvus's names, of which each index reads its own: `ef` for HNSW (default max(64, k); at least k),
   * `nprobe` for IVF (default 8; more than there are lists is all of them), `search_list` for DISKANN (default max(16, k); at least k).
   * Names no index has are refused with `PARAMETER_INVALID`.
   */
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Keep only scores better than this (greater is closer); null = no bound. */
  readonly scoreAbove: number | null;
  /** Keep only scores not better than this; null = no bound. */
  readonly scoreUpTo: number | null;
  /** Higher runs first. */
  readonly priority?: number;
  /** Give up with `DEADLINE_EXCEEDED` this many milliseconds from now. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Best first; equal scores by source, then row. Entry j of query i is at i * k + j, for j < counts[i]. */
export interface KernelHits {
  readonly k: number;
  readonly counts: Uint32Array;
  readonly sources: Uint32Array;
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}
