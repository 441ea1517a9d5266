import type { Metric } from '../schema/index.ts';

/**
 * The vector engine under every search: C++ behind Node-API, on its own bounded thread pool. This contract is all that
 * the reader and the writer see of it.
 *
 * Scores: greater is closer, for every metric. L2 gives minus the squared distance, IP the inner product, COSINE the
 * cosine of the angle (0 where a vector is zero). Milvus's conventions are restored in the proxy.
 *
 * Lifetimes: a file or block that is disposed while a search uses it stays mapped until that search ends; a new search on
 * it is refused. Files are validated (magic, version, checksums, bounds) before use and refused with `CORRUPT_DATA`.
 */
export interface Kernel extends AsyncDisposable {
  readonly info: KernelInfo;

  /** Writes raw vectors, 64-byte aligned, with checksum, as a new file. `vectors` holds rowCount * dim values and must not change until it resolves. */
  writeVectors(options: WriteVectorsOptions): Promise<FileReport>;
  /** Maps a file of raw vectors. It answers exact (FLAT) searches by itself and re-ranks for the indexes built over it. */
  openVectors(path: string): Promise<VectorFile>;

  /** Builds an index over mapped vectors into a new file at `path`. Errors: `INDEX_INVALID` for parameters, `CANCELLED`. */
  buildIndex(options: BuildIndexOptions): Promise<BuildReport>;
  /** Maps an index over its vectors; `CORRUPT_DATA` when it was built over others (rows, dimension or checksum differ). The index keeps the vectors mapped. */
  openIndex(path: string, vectors: VectorFile): Promise<VectorIndex>;

  /** Rows that can be searched while more are appended; memory is `capacity * dim * 4` bytes at once. */
  createBlock(options: { readonly dim: number; readonly capacity: number }): GrowingBlock;

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

export interface WriteVectorsOptions {
  readonly path: string;
  readonly vectors: Float32Array;
  readonly dim: number;
}

export interface FileReport {
  readonly sizeBytes: number;
}

export interface VectorFile extends Disposable {
  readonly kind: 'vectors';
  readonly rowCount: number;
  readonly dim: number;
  /** Mapped bytes. */
  readonly sizeBytes: number;
  /** Copies the vectors of `rows` (each below rowCount) into `out` (rows.length * dim values), in their order. */
  read(rows: Uint32Array, out: Float32Array): void;
}

export interface VectorIndex extends Disposable {
  readonly kind: 'index';
  readonly type: IndexType;
  readonly metric: Metric;
  readonly rowCount: number;
  readonly dim: number;
  /** Mapped bytes of the index alone, without its vectors. */
  readonly sizeBytes: number;
}

export interface GrowingBlock extends Disposable {
  readonly kind: 'block';
  readonly dim: number;
  readonly capacity: number;
  readonly rowCount: number;
  /** Appends whole rows (`vectors.length` is a multiple of dim); the capacity must not be exceeded. Searches under way do not see them. */
  append(vectors: Float32Array): void;
  /** As `VectorFile.read`. */
  read(rows: Uint32Array, out: Float32Array): void;
}

export const INDEX_TYPES = ['HNSW'] as const;
/** Indexes with files of their own; FLAT is the `VectorFile` itself. */
export type IndexType = (typeof INDEX_TYPES)[number];

export interface BuildIndexOptions {
  readonly type: IndexType;
  readonly metric: Metric;
  readonly vectors: VectorFile;
  readonly path: string;
  /** Milvus's names: `M` (2 … 2048, default 30) and `efConstruction` (1 … 2^31 - 1, default 360) for HNSW. Unknown names are refused. */
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

export interface KernelSearch {
  readonly sources: readonly SearchSource[];
  readonly metric: Metric;
  readonly dim: number;
  /** queryCount * dim values; must not change until the search resolves. */
  readonly queries: Float32Array;
  readonly queryCount: number;
  /** Hits a query, 1 … 16 384. */
  readonly k: number;
  /** Per-query parameters by Milvus's names: `ef` for HNSW (default max(64, k); at least k). Unknown names are refused with `PARAMETER_INVALID`. */
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
