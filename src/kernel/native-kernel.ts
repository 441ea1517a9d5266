import { LoopShare } from './loop-share.ts';
import { MishardsError } from '../errors/index.ts';
import { assert } from '../util/assert.ts';
import { indexTypeSpec, INDEX_TYPES, readBuildParams, checkIndexMetric } from './index-types.ts';
import type {
  BuildIndexOptions,
  BuildReport,
  FileReport,
  GrowingBlock,
  Kernel,
  KernelHits,
  KernelInfo,
  KernelOptions,
  KernelSearch,
  VectorFile,
  VectorIndex,
  VectorShape,
  WriteVectorsOptions,
} from './kernel.ts';
import { formatCode, metricCode } from './metric-codes.ts';
import {
  awaitNative,
  callNative,
  nativeBinding,
  type KernelHandle,
  type NativeBuild,
  type StartedJob,
} from './native-binding.ts';
import { NativeBlock, NativeVectorFile, NativeVectorIndex } from './native-sources.ts';
import { searchArguments } from './search-arguments.ts';
import { countVectors, shapeDefect, vectorsDefect } from './vectors.ts';

/** Small enough that what clients do with them takes a few milliseconds. */
const RESULTS_A_TURN = 16;

const THREADS_MAX = 1024;
const QUEUE_MAX = 2 ** 20;
/** The highest bit of a row number marks it in the pools of a search. */
const ROWS_MAX = 2 ** 31 - 1;

/** A kernel with its own threads. Errors: `CONFIG_INVALID` for options, `INTERNAL` where the addon was not built. */
export function createKernel(options: KernelOptions): Kernel {
  checkOption('threads', options.threads, 1, THREADS_MAX);
  checkOption('queueMax', options.queueMax, 0, QUEUE_MAX);
  const binding = nativeBinding();
  const wanted = options.instructionSet ?? '';
  const handle = callNative(() => binding.createKernel(options.threads, options.queueMax, wanted));
  if (handle === null) {
    const known = binding.instructionSets().join(', ');
    throw new MishardsError('CONFIG_INVALID', `this processor has no ${wanted}; it has ${known}`);
  }
  return new NativeKernel(handle, {
    instructionSet: binding.instructionSet(handle),
    threads: options.threads,
  });
}

class NativeKernel implements Kernel {
  readonly info: KernelInfo;
  readonly #handle: KernelHandle;
  /** A count, as sets that change all the time leave tables behind that outlive young collections, with all they held. */
  #running = 0;
  #onIdle = (): void => {};
  readonly #loopShare = new LoopShare(RESULTS_A_TURN);
  #disposal: Promise<void> | undefined;

  constructor(handle: KernelHandle, info: KernelInfo) {
    this.#handle = handle;
    this.info = Object.freeze(info);
  }

  async writeVectors(options: WriteVectorsOptions): Promise<FileReport> {
    const { path, vectors, format, dim } = options;
    checkShape(options);
    const defect = vectorsDefect(options, vectors);
    assert(defect === null, defect ?? '');
    const rowCount = countVectors(options, vectors);
    assert(rowCount <= ROWS_MAX, `${rowCount} rows are more than ${ROWS_MAX}`);
    const sizeBytes = await this.#run((handle) =>
      nativeBinding().writeVectors(handle, path, vectors, formatCode(format), dim, rowCount),
    );
    return { sizeBytes };
  }

  async openVectors(path: string): Promise<VectorFile> {
    return new NativeVectorFile(await this.#run((handle) => nativeBinding().openVectors(handle, path)));
  }

  async buildIndex(options: BuildIndexOptions): Promise<BuildReport> {
    const build = this.#buildArguments(options);
    return this.#runJob(options.signal, (handle) => nativeBinding().buildIndex(handle, build));
  }

  async openIndex(path: string, vectors: VectorFile): Promise<VectorIndex> {
    assert(vectors instanceof NativeVectorFile, 'the vectors were opened by another kernel implementation');
    const over = vectors.handle;
    return new NativeVectorIndex(await this.#run((handle) => nativeBinding().openIndex(handle, path, over)));
  }

  createBlock(options: VectorShape & { readonly capacity: number }): GrowingBlock {
    const { format, dim, capacity } = options;
    checkShape(options);
    assert(
      Number.isInteger(capacity) && capacity >= 0 && capacity <= ROWS_MAX,
      `capacity ${capacity} is not in [0, ${ROWS_MAX}]`,
    );
    return new NativeBlock({ format, dim }, capacity);
  }

  async search(request: KernelSearch): Promise<KernelHits> {
    const search = searchArguments(request);
    const hits = await this.#runJob(request.signal, (handle) => nativeBinding().search(handle, search));
    await this.#loopShare.take();
    return hits;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    nativeBinding().stopKernel(this.#handle);
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    nativeBinding().closeKernel(this.#handle);
  }

  #buildArguments(options: BuildIndexOptions): NativeBuild {
    const { vectors, path, metric, seed, threads } = options;
    assert(vectors instanceof NativeVectorFile, 'the vectors were opened by another kernel implementation');
    if (indexTypeSpec(options.type) === undefined) {
      throw new MishardsError(
        'INDEX_INVALID',
        `index type ${String(options.type)} is unknown; use ${INDEX_TYPES.join(', ')}`,
      );
    }
    assert(Number.isSafeInteger(seed), `seed ${seed} is not a whole number`);
    assert(
      Number.isInteger(threads) && threads >= 1 && threads <= this.info.threads,
      `a build takes 1 to ${this.info.threads} threads of this kernel, not ${threads}`,
    );
    const params = readBuildParams(options.type, options.params, vectors.dim);
    checkIndexMetric(options.type, metric, vectors);
    const onProgress = options.onProgress ?? (() => {});
    return {
      type: options.type,
      vectors: vectors.handle,
      path,
      metric: metricCode(metric),
      params,
      seed,
      threads,
      onProgress,
    };
  }

  async #run<T>(start: (handle: KernelHandle) => Promise<T>): Promise<T> {
    this.#refuseAfterDispose();
    this.#running++;
    try {
      return await awaitNative(callNative(() => start(this.#handle)));
    } finally {
      if (--this.#running === 0) this.#onIdle();
    }
  }

  async #runJob<T>(
    signal: AbortSignal | undefined,
    start: (handle: KernelHandle) => StartedJob<T>,
  ): Promise<T> {
    if (signal?.aborted === true) throw new MishardsError('CANCELLED', 'the request was cancelled');
    let cancel = (): void => {};
    try {
      return await this.#run((handle) => {
        const { promise, job } = start(handle);
        cancel = () => nativeBinding().cancel(handle, job);
        signal?.addEventListener('abort', cancel, { once: true });
        return promise;
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #refuseAfterDispose(): void {
    if (this.#disposal === undefined) return;
    throw new MishardsError('SERVICE_NOT_READY', 'the kernel was disposed; create another');
  }
}

function checkOption(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new MishardsError(
    'CONFIG_INVALID',
    `${name} is ${value}; it must be a whole number in [${min}, ${max}]`,
  );
}

function checkShape(shape: VectorShape): void {
  const defect = shapeDefect(shape);
  assert(defect === null, defect ?? '');
}
