import { encodeFloat } from './formats.ts';
import { testSeed } from './seed.ts';
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';
import { clusteredVectors, searchOf, wholeSource, writeAndOpen } from './vectors.ts';
import { newBitmap, setBit } from '../../src/columns/bitmap.ts';
import { SeededRandom } from '../../src/host/index.ts';
import {
  createKernel,
  newDenseValues,
  sliceVectors,
  type BuildIndexOptions,
  type DenseValues,
  type IndexType,
  type Kernel,
  type KernelHits,
  type KernelMetric,
  type KernelSearch,
  type VectorFile,
  type VectorIndex,
  type VectorShape,
  type VectorValues,
} from '../../src/kernel/index.ts';
import { DENSE_METRICS } from '../../src/schema/index.ts';

export interface IndexStageOptions {
  readonly type: IndexType;
  readonly params: BuildIndexOptions['params'];
  readonly dim: number;
  readonly rowCount: number;
  readonly queryCount: number;
  /** float32 where it is not said. */
  readonly format?: 'float32' | 'float16' | 'bfloat16' | 'int8';
  /** Of searches that do not say otherwise. */
  readonly searchParams?: KernelSearch['params'];
}

/** An index over other rows. */
export interface OtherIndex extends Disposable {
  readonly vectors: VectorFile;
  readonly index: VectorIndex;
}

/** Clustered vectors in a file, an index of one type for each metric over them, and queries like them. */
export class IndexStage implements AsyncDisposable {
  readonly shape: VectorShape;
  readonly rowCount: number;
  readonly queryCount: number;
  directory!: TemporaryDirectory;
  kernel!: Kernel;
  vectors!: VectorFile;
  queries!: DenseValues;
  readonly #options: IndexStageOptions;
  readonly #indexes = new Map<KernelMetric, VectorIndex>();
  #otherCount = 0;

  constructor(options: IndexStageOptions) {
    const { format = 'float32', dim, rowCount, queryCount } = options;
    this.shape = { format, dim };
    this.rowCount = rowCount;
    this.queryCount = queryCount;
    this.#options = options;
  }

  async open(): Promise<void> {
    const { shape, rowCount, queryCount } = this;
    const { format = 'float32', dim } = this.#options;
    this.directory = await temporaryDirectory();
    this.kernel = createKernel({ threads: 2, queueMax: 100 });
    const floats = clusteredVectors(new SeededRandom(testSeed), rowCount + queryCount, dim);
    const all = newDenseValues(shape, rowCount + queryCount);
    floats.forEach((value, at) => (all[at] = stored(format, value)));
    const rows = sliceVectors(shape, all, 0, rowCount);
    this.queries = sliceVectors(shape, all, rowCount, rowCount + queryCount) as DenseValues;
    this.vectors = await writeAndOpen(this.kernel, this.directory.path, rows, dim, 'vectors', format);
    for (const metric of DENSE_METRICS) {
      await this.kernel.buildIndex(this.build({ metric, path: this.directory.file(metric) }));
      this.#indexes.set(metric, await this.kernel.openIndex(this.directory.file(metric), this.vectors));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const index of this.#indexes.values()) index[Symbol.dispose]();
    this.vectors[Symbol.dispose]();
    await this.kernel[Symbol.asyncDispose]();
    await this.directory[Symbol.asyncDispose]();
  }

  index(metric: KernelMetric): VectorIndex {
    return this.#indexes.get(metric)!;
  }

  /** How the indexes of the stage are built, into another file. */
  build(fields: Partial<BuildIndexOptions>): BuildIndexOptions {
    const { type, params } = this.#options;
    const path = this.directory.file('other-index');
    return { type, metric: 'L2', vectors: this.vectors, path, params, seed: 7, threads: 2, ...fields };
  }

  async indexOver(
    rows: VectorValues,
    fields: Partial<BuildIndexOptions> = {},
    { dim, format }: VectorShape = this.shape,
  ): Promise<OtherIndex> {
    const name = `other-${this.#otherCount++}`;
    const vectors = await writeAndOpen(this.kernel, this.directory.path, rows, dim, name, format);
    const path = this.directory.file(`${name}-index`);
    await this.kernel.buildIndex(this.build({ vectors, path, ...fields }));
    const index = await this.kernel.openIndex(path, vectors);
    const dispose = (): void => {
      index[Symbol.dispose]();
      vectors[Symbol.dispose]();
    };
    return { vectors, index, [Symbol.dispose]: dispose };
  }

  search(fields: Partial<KernelSearch>): KernelSearch {
    const { searchParams: params = {} } = this.#options;
    return searchOf({ sources: [], queries: this.queries, ...this.shape, params, ...fields });
  }

  /** The same search on the index, or on the one given, and exactly. */
  async both(
    fields: Partial<KernelSearch> = {},
    allowed: Uint8Array | null = null,
    { index, vectors }: Pick<OtherIndex, 'index' | 'vectors'> = {
      index: this.index(fields.metric ?? 'L2'),
      vectors: this.vectors,
    },
  ): Promise<{ found: KernelHits; truth: KernelHits }> {
    const search = this.search({ ...fields, sources: [wholeSource(index, allowed)] });
    const exact = { ...search, sources: [wholeSource(vectors, allowed)], params: {} };
    return { found: await this.kernel.search(search), truth: await this.kernel.search(exact) };
  }

  /** Of the queries, so many from the first on. */
  firstQueries(queryCount: number): Pick<KernelSearch, 'queries' | 'queryCount'> {
    return { queries: sliceVectors(this.shape, this.queries, 0, queryCount), queryCount };
  }

  randomFilter(share: number): Uint8Array {
    const random = new SeededRandom(testSeed + 1);
    const bitmap = newBitmap(this.rowCount, 0);
    for (let row = 0; row < this.rowCount; row++) if (random.next() < share) setBit(bitmap, row);
    return bitmap;
  }
}

function stored(format: VectorShape['format'], value: number): number {
  if (format === 'int8') return Math.round(Math.max(-128, Math.min(127, value * 30)));
  return encodeFloat(format, value);
}
