import { join } from 'node:path';
import {
  createKernel,
  type IndexType,
  type Kernel,
  type KernelHits,
  type KernelSearch,
  type SearchSource,
  type VectorFile,
  type VectorIndex,
} from '../../src/kernel/index.ts';
import type { DataSet } from './data-set.ts';
import { secondsSince, sweep, type EngineRun, type Task } from './engine.ts';

type Params = KernelSearch['params'];

/** How one of our index types is built and searched by a task. */
export interface OwnIndex {
  readonly type: IndexType;
  build(task: Task): Params;
  efforts(task: Task): readonly number[];
  search(effort: number): Params;
}

/** Candidates for each hit that are scored again exactly: codes of one bit a dimension need many. */
const REFINE_K = 4;
const REFINE_K_BITS = 40;
/** Half of what codes of DISKANN may take by default. */
const SMALL_CODES = 1 / 16;

export const OWN_INDEXES: Readonly<Record<string, OwnIndex>> = {
  mishards: {
    type: 'HNSW',
    build: ({ M, efConstruction }) => ({ M, efConstruction }),
    efforts: ({ efs }) => efs,
    search: (ef) => ({ ef }),
  },
  'mishards-hnsw-sq': {
    type: 'HNSW_SQ',
    build: ({ M, efConstruction }) => ({ M, efConstruction, sq_type: 'SQ8', refine: true }),
    efforts: ({ efs }) => efs,
    search: (ef) => ({ ef, refine_k: REFINE_K }),
  },
  'mishards-diskann': onDisk({}),
  'mishards-diskann-small': onDisk({ pq_code_budget_gb_ratio: SMALL_CODES }),
  'mishards-ivf': lists('IVF_FLAT'),
  'mishards-ivf-sq8': lists('IVF_SQ8'),
  'mishards-ivf-pq': lists('IVF_PQ'),
  'mishards-ivf-rabitq': lists('IVF_RABITQ', { refine: true }, { refine_k: REFINE_K_BITS }),
  'mishards-scann': lists('SCANN', {}, { reorder_k: 100 }),
};

/** Graphs get Milvus's defaults; the effort is the list of candidates of a search. */
function onDisk(build: Params): OwnIndex {
  return {
    type: 'DISKANN',
    build: () => build,
    efforts: ({ efs }) => efs,
    search: (search_list) => ({ search_list }),
  };
}

function lists(type: IndexType, build: Params = {}, search: Params = {}): OwnIndex {
  return {
    type,
    build: ({ nlist }) => ({ nlist, ...build }),
    efforts: ({ nprobes }) => nprobes,
    search: (nprobe) => ({ nprobe, ...search }),
  };
}

export interface BuiltIndex {
  readonly path: string;
  readonly buildSeconds: number;
  readonly peakBytes: number;
  /** Of the file. */
  readonly fileBytes: number;
}

/** Writes the vectors of a data set and maps them. */
export async function openDataSet(kernel: Kernel, data: DataSet, directory: string): Promise<VectorFile> {
  const path = join(directory, 'vectors');
  await kernel.writeVectors({ path, format: 'float32', dim: data.dim, vectors: data.vectors });
  return kernel.openVectors(path);
}

/** Builds an index with the task's threads. */
export async function buildOwn(task: Task, own: OwnIndex, vectors: VectorFile): Promise<BuiltIndex> {
  await using builder = createKernel({ threads: task.buildThreads, queueMax: 1 });
  const path = join(task.directory, `${own.type}-${task.buildThreads}`);
  const start = performance.now();
  const { peakBytes, sizeBytes: fileBytes } = await builder.buildIndex({
    type: own.type,
    metric: task.data.metric,
    vectors,
    path,
    params: own.build(task),
    seed: task.seed,
    threads: task.buildThreads,
  });
  return { path, buildSeconds: secondsSince(start), peakBytes, fileBytes };
}

/** Searches of an open index with every effort. */
export async function searchOwn(
  task: Task,
  own: OwnIndex,
  kernel: Kernel,
  index: VectorIndex,
): Promise<EngineRun['searches']> {
  return sweep(
    task,
    own.efforts(task),
    (effort) => kernel.search(searchOf(task.data, task.k, wholeOf(index), own.search(effort))),
    rowsOf,
  );
}

export function wholeOf(data: SearchSource['data'], allowed: Uint8Array | null = null): SearchSource {
  return { data, rowCount: data.rowCount, allowed };
}

/** All queries of the data set, or those given. */
export function searchOf(
  { metric, dim, queries }: DataSet,
  k: number,
  source: SearchSource,
  params: Params,
  asked: Float32Array = queries,
): KernelSearch {
  return {
    sources: [source],
    metric,
    format: 'float32',
    dim,
    queries: asked,
    queryCount: asked.length / dim,
    k,
    params,
    scoreAbove: null,
    scoreUpTo: null,
  };
}

/** Found rows of each query. */
export function rowsOf(hits: KernelHits): Uint32Array[] {
  return Array.from(hits.counts, (count, query) => hits.rows.slice(query * hits.k, query * hits.k + count));
}
