import { createRequire } from 'node:module';
import type { Bm25, DenseValues, SparseValues, VectorValues } from './kernel.ts';
import { MishardsError, isErrorCode } from '../errors/index.ts';

declare const handleBrand: unique symbol;
/** Objects of the addon, opaque here. */
export type KernelHandle = { readonly [handleBrand]: 'kernel' };
export type DataHandle = { readonly [handleBrand]: 'data' };
export type JobHandle = number & { readonly [handleBrand]: 'job' };

export interface NativeVectors {
  readonly handle: DataHandle;
  readonly rowCount: number;
  readonly format: number;
  readonly dim: number;
  readonly sizeBytes: number;
}

export interface NativeIndex extends NativeVectors {
  readonly type: string;
  readonly metric: number;
}

export interface NativeSource {
  readonly handle: DataHandle;
  readonly rowCount: number;
  readonly allowed: Uint8Array | null;
}

export interface NativeSearch {
  readonly sources: readonly NativeSource[];
  readonly metric: number;
  readonly format: number;
  readonly dim: number;
  readonly bm25: Bm25 | null;
  readonly queries: VectorValues;
  readonly queryCount: number;
  readonly k: number;
  /** Every search parameter there is. */
  readonly params: Readonly<Record<string, number>>;
  readonly scoreAbove: number | null;
  readonly scoreUpTo: number | null;
  readonly priority: number;
  readonly timeoutMs: number | null;
}

export interface NativeHits {
  readonly k: number;
  readonly counts: Uint32Array;
  readonly sources: Uint32Array;
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

export interface NativeBuild {
  readonly type: string;
  readonly vectors: DataHandle;
  readonly path: string;
  readonly metric: number;
  /** Every build parameter of the type. */
  readonly params: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly threads: number;
  readonly onProgress: (fraction: number) => void;
}

export interface StartedJob<T> {
  readonly promise: Promise<T>;
  readonly job: JobHandle;
}

/**
 * The addon's exports. It checks nothing that TypeScript can check: every argument is validated before it gets there.
 * Failures are Errors with a `code` of the error table, thrown or rejected; `fromNative` makes them typed.
 */
export interface NativeBinding {
  /** As `CONTRACT` here, when the addon was built from the sources beside it. */
  readonly contract: number;
  /** null when the processor lacks the instruction set; '' is the best it has. */
  createKernel(threads: number, queueMax: number, instructionSet: string): KernelHandle | null;
  /** Every job ends with `CANCELLED` as soon as it can. */
  stopKernel(kernel: KernelHandle): void;
  /** Joins the threads. */
  closeKernel(kernel: KernelHandle): void;
  instructionSet(kernel: KernelHandle): string;
  instructionSets(): string[];
  writeVectors(
    kernel: KernelHandle,
    path: string,
    vectors: VectorValues,
    format: number,
    dim: number,
    rowCount: number,
  ): Promise<number>;
  openVectors(kernel: KernelHandle, path: string): Promise<NativeVectors>;
  openIndex(kernel: KernelHandle, path: string, vectors: DataHandle): Promise<NativeIndex>;
  createBlock(format: number, dim: number, capacity: number): DataHandle;
  /** Returns the new row count. */
  appendRows(block: DataHandle, vectors: VectorValues, rowCount: number): number;
  readRows(data: DataHandle, rows: Uint32Array, out: DenseValues): void;
  readSparseRows(data: DataHandle, rows: Uint32Array): SparseValues;
  release(data: DataHandle): void;
  buildIndex(kernel: KernelHandle, build: NativeBuild): StartedJob<{ sizeBytes: number; peakBytes: number }>;
  search(kernel: KernelHandle, search: NativeSearch): StartedJob<NativeHits>;
  cancel(kernel: KernelHandle, job: JobHandle): void;
  /** CRC-32C; `portable` asks for the form without the processor's instruction. */
  checksum(bytes: Uint8Array, portable: boolean): number;
}

const ADDON = '../../native/build/Release/mishards_kernel.node';
/** Grows with every change of the exports, here and in `native/src/addon/addon.cc`. */
const CONTRACT = 5;
let loaded: NativeBinding | undefined;

/** The compiled addon, loaded once a process. Throws `INTERNAL` where it was not built, or from other sources. */
export function nativeBinding(): NativeBinding {
  loaded ??= load();
  return loaded;
}

function load(): NativeBinding {
  const binding = loadAddon();
  if (binding.contract === CONTRACT) return binding;
  throw new MishardsError(
    'INTERNAL',
    `the native kernel has contract ${binding.contract}, not ${CONTRACT}; build it anew with "npm run install"`,
  );
}

function loadAddon(): NativeBinding {
  try {
    return createRequire(import.meta.url)(ADDON) as NativeBinding;
  } catch (cause) {
    throw new MishardsError(
      'INTERNAL',
      'the native kernel cannot be loaded; build it with "npm run install" (needs a C++20 compiler)',
      { cause },
    );
  }
}

/** A failure of the addon as a typed error; what has no code of ours is a defect and stays as it is. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !isErrorCode(error.code)) return error;
  return new MishardsError(error.code, error.message);
}

export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

export async function awaitNative<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw fromNative(error);
  }
}
