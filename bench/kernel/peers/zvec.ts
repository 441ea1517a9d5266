import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { forInnerProduct, rowsBetween, secondsSince, sweep, type Engine, type Task } from '../engine.ts';
import { npmPackage } from './peer-cache.ts';

interface Status {
  readonly ok: boolean;
  readonly message: string;
}

interface Query {
  readonly fieldName: string;
  readonly topk: number;
  readonly vector: Float32Array;
  readonly outputFields: readonly string[];
  readonly params: { readonly indexType: number; readonly ef: number; readonly isUsingRefiner: boolean };
}

interface Collection {
  readonly stats: { readonly indexCompleteness: Readonly<Record<string, number>> };
  insertSync(docs: readonly { id: string; vectors: Record<string, Float32Array> }[]): Status[];
  optimizeSync(options: { concurrency: number }): void;
  querySync(query: Query): { readonly id: string }[];
  closeSync(): void;
}

interface Zvec {
  readonly ZVecDataType: { readonly VECTOR_FP32: number };
  readonly ZVecIndexType: { readonly HNSW: number };
  readonly ZVecMetricType: Readonly<Record<'L2' | 'IP', number>>;
  readonly ZVecQuantizeType: { readonly UNDEFINED: number; readonly INT8: number };
  readonly ZVecLogLevel: { readonly ERROR: number };
  readonly ZVecCollectionSchema: new (schema: object) => object;
  ZVecInitialize(options: object): void;
  ZVecCreateAndOpen(path: string, schema: object, options: object): Collection;
}

const INSERT_ROWS = 1000;
const FIELD = 'vector';
/** zvec refuses more. */
const EF_MAX = 2048;
let initialized = false;

/**
 * Alibaba's zvec through its binding for Node, one query a call as its interface has it, which takes about a tenth of a millisecond
 * by itself. The build counts from the first insert to a complete index. Its cosine finds nothing with 8-bit codes, so it gets
 * vectors of length 1 and the inner product.
 */
function zvec(quantize: 'UNDEFINED' | 'INT8'): Engine {
  return async (task) => {
    const library = (await npmPackage('@zvec/zvec', '0.7.0')) as Zvec;
    if (!initialized) {
      const { buildThreads } = task;
      const logLevel = library.ZVecLogLevel.ERROR;
      library.ZVecInitialize({ logLevel, queryThreads: 1, optimizeThreads: buildThreads });
      initialized = true;
    }
    const { data, k, queryCount } = task;
    const asked = forInnerProduct(data);
    const path = join(task.directory, `zvec-${quantize}`);
    const collection = library.ZVecCreateAndOpen(path, schemaOf(library, task, quantize), {});
    const start = performance.now();
    insertAll(collection, task, asked.vectors);
    collection.optimizeSync({ concurrency: task.buildThreads });
    const buildSeconds = secondsSince(start);
    if (collection.stats.indexCompleteness[FIELD] !== 1) throw new Error('zvec left its index incomplete');
    const isUsingRefiner = quantize !== 'UNDEFINED';
    const params = { indexType: library.ZVecIndexType.HNSW, isUsingRefiner };
    const queries = Array.from({ length: queryCount }, (_, query) =>
      rowsBetween(asked.queries, data.dim, query, query + 1),
    );
    const search = (ef: number): { readonly id: string }[][] =>
      queries.map((vector) =>
        collection.querySync({
          fieldName: FIELD,
          topk: k,
          vector,
          outputFields: [],
          params: { ...params, ef },
        }),
      );
    const rowsOf = (found: readonly { readonly id: string }[][]): number[][] =>
      found.map((own) => own.map(({ id }) => Number(id)));
    const searches = await sweep(
      task,
      task.efs.filter((ef) => ef <= EF_MAX),
      search,
      rowsOf,
    );
    collection.closeSync();
    return { buildSeconds, sizeBytes: await sizeOf(path), searches };
  };
}

export const runZvec = zvec('UNDEFINED');
export const runZvecInt8 = zvec('INT8');

function schemaOf(library: Zvec, task: Task, quantize: 'UNDEFINED' | 'INT8'): object {
  return new library.ZVecCollectionSchema({
    name: 'bench',
    vectors: {
      name: FIELD,
      dataType: library.ZVecDataType.VECTOR_FP32,
      dimension: task.data.dim,
      indexParams: {
        indexType: library.ZVecIndexType.HNSW,
        metricType: library.ZVecMetricType[task.data.metric === 'L2' ? 'L2' : 'IP'],
        m: task.M,
        efConstruction: task.efConstruction,
        quantizeType: library.ZVecQuantizeType[quantize],
      },
    },
  });
}

function insertAll(collection: Collection, { data, rowCount }: Task, vectors: Float32Array): void {
  for (let begin = 0; begin < rowCount; begin += INSERT_ROWS) {
    const count = Math.min(INSERT_ROWS, rowCount - begin);
    const docs = Array.from({ length: count }, (_, index) => ({
      id: String(begin + index),
      vectors: { [FIELD]: rowsBetween(vectors, data.dim, begin + index, begin + index + 1) },
    }));
    const failed = collection.insertSync(docs).find(({ ok }) => !ok);
    if (failed !== undefined) throw new Error(`zvec refused a row: ${failed.message}`);
  }
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
