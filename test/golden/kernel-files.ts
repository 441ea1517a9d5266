import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeededRandom } from '../../src/host/index.ts';
import {
  INDEX_TYPES,
  VECTOR_FORMATS,
  type IndexType,
  type Kernel,
  type KernelMetric,
  type VectorFile,
  type VectorFormat,
  type VectorIndex,
  type VectorShape,
} from '../../src/kernel/index.ts';
import { INDEX_TYPE_SPECS } from '../../src/kernel/index-types.ts';
import { randomValues, shapeOf } from '../support/formats.ts';
import { hitKeys, wholeSource } from '../support/vectors.ts';

/** One folder a version of the container that kernel files are written in. */
export const GOLDEN_VERSIONS = join(import.meta.dirname, 'kernel');

const ROWS = 50;
const DIM = 12;
const QUERIES = 3;
const K = 5;
const SEED = 20;
const GRAPH = { M: 3, efConstruction: 40 };
const LISTS = { nlist: 4 };
const BUILD_PARAMS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  HNSW: GRAPH,
  HNSW_SQ: GRAPH,
  HNSW_PQ: GRAPH,
  HNSW_PRQ: GRAPH,
  IVF_FLAT: LISTS,
  IVF_SQ8: LISTS,
  IVF_PQ: LISTS,
  IVF_RABITQ: LISTS,
  SCANN: LISTS,
  DISKANN: { max_degree: 6, search_list_size: 40 },
};
const METRICS: Readonly<Partial<Record<VectorFormat, KernelMetric>>> = { binary: 'HAMMING', sparse: 'IP' };

/** A file of vectors, or an index over one, and what a search of it finds. Paths are in the version's folder. */
export interface GoldenFile {
  readonly file: string;
  /** The index's type and the file of its vectors. */
  readonly index?: { readonly type: IndexType; readonly vectors: string };
  readonly format: VectorFormat;
  readonly metric: KernelMetric;
  /** Rows of each query, best first. */
  readonly rows: readonly (readonly string[])[];
}

/** Opens a golden file as a search would. */
export async function openGolden(
  kernel: Kernel,
  folder: string,
  { file, index }: Pick<GoldenFile, 'file' | 'index'>,
): Promise<VectorFile | VectorIndex> {
  if (index === undefined) return kernel.openVectors(join(folder, file));
  using vectors = await kernel.openVectors(join(folder, index.vectors));
  return kernel.openIndex(join(folder, file), vectors);
}

/** What a search of every query finds. */
export async function searchGolden(
  kernel: Kernel,
  data: VectorFile | VectorIndex,
  metric: KernelMetric,
): Promise<string[][]> {
  const { format, dim } = data;
  const hits = await kernel.search({
    sources: [wholeSource(data)],
    format,
    dim,
    metric,
    queries: randomValues(new SeededRandom(SEED + 1), data, QUERIES),
    queryCount: QUERIES,
    k: K,
    params: {},
    scoreAbove: null,
    scoreUpTo: null,
  });
  return Array.from({ length: QUERIES }, (_, query) => hitKeys(hits, query));
}

export async function readManifest(folder: string): Promise<GoldenFile[]> {
  return JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as GoldenFile[];
}

/** Writes a file of each format of vectors and of each type of index, and the manifest that says what they answer. */
export async function writeGolden(kernel: Kernel, folder: string): Promise<void> {
  const plans = VECTOR_FORMATS.map((format) => ({ file: `${format}.vectors`, format }));
  const files: GoldenFile[] = [];
  const add = async (entry: Omit<GoldenFile, 'rows'>): Promise<void> => {
    using opened = await openGolden(kernel, folder, entry);
    files.push({ ...entry, rows: await searchGolden(kernel, opened, entry.metric) });
  };
  for (const { file, format } of plans) {
    const shape: VectorShape = shapeOf(format, DIM);
    const vectors = randomValues(new SeededRandom(SEED), shape, ROWS);
    await kernel.writeVectors({ path: join(folder, file), ...shape, vectors });
    await add({ file, format, metric: METRICS[format] ?? 'L2' });
  }
  for (const type of INDEX_TYPES) {
    const format = INDEX_TYPE_SPECS[type].formats[0]!;
    const index = { type, vectors: `${format}.vectors` };
    const metric = METRICS[format] ?? 'COSINE';
    const file = `${type.toLowerCase()}.index`;
    using over = await kernel.openVectors(join(folder, index.vectors));
    const params = BUILD_PARAMS[type] ?? {};
    await kernel.buildIndex({
      type,
      metric,
      vectors: over,
      path: join(folder, file),
      params,
      seed: SEED,
      threads: 1,
    });
    await add({ file, index, format, metric });
  }
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(files, null, 1)}\n`);
}
