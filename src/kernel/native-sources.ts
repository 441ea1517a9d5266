import { MishardsError } from '../errors/index.ts';
import { assert, AssertionError } from '../util/assert.ts';
import type { IndexType } from './index-types.ts';
import type {
  DenseValues,
  GrowingBlock,
  KernelMetric,
  SearchSource,
  SparseValues,
  VectorFile,
  VectorIndex,
  VectorShape,
  VectorValues,
} from './kernel.ts';
import { metricOfCode } from './metric-codes.ts';
import {
  callNative,
  nativeBinding,
  type DataHandle,
  type NativeIndex,
  type NativeVectors,
} from './native-binding.ts';

/** A handle of the addon that is given back once. */
class Owned {
  readonly #name: string;
  #handle: DataHandle | null;

  constructor(name: string, handle: DataHandle) {
    this.#name = name;
    this.#handle = handle;
  }

  get handle(): DataHandle {
    if (this.#handle === null) {
      throw new MishardsError('INTERNAL', `the ${this.#name} was disposed; open it again before using it`);
    }
    return this.#handle;
  }

  dispose(): void {
    if (this.#handle === null) return;
    nativeBinding().release(this.#handle);
    this.#handle = null;
  }
}

export class NativeVectorFile implements VectorFile {
  readonly kind = 'vectors';
  readonly format = 'float32';
  readonly rowCount: number;
  readonly dim: number;
  readonly sizeBytes: number;
  readonly #owned: Owned;

  constructor(native: NativeVectors) {
    this.rowCount = native.rowCount;
    this.dim = native.dim;
    this.sizeBytes = native.sizeBytes;
    this.#owned = new Owned('vector file', native.handle);
  }

  get handle(): DataHandle {
    return this.#owned.handle;
  }

  read(rows: Uint32Array, out: DenseValues): void {
    checkRead(rows, out, this.rowCount, this.dim);
    nativeBinding().readRows(this.handle, rows, float32Values(this, out));
  }

  readSparse(): SparseValues {
    throw new AssertionError('float32 vectors are read with read');
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

export class NativeVectorIndex implements VectorIndex {
  readonly kind = 'index';
  readonly format = 'float32';
  readonly type: IndexType;
  readonly metric: KernelMetric;
  readonly rowCount: number;
  readonly dim: number;
  readonly sizeBytes: number;
  readonly #owned: Owned;

  constructor(native: NativeIndex) {
    this.type = native.type as IndexType;
    this.metric = metricOfCode(native.metric);
    this.rowCount = native.rowCount;
    this.dim = native.dim;
    this.sizeBytes = native.sizeBytes;
    this.#owned = new Owned('index', native.handle);
  }

  get handle(): DataHandle {
    return this.#owned.handle;
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

export class NativeBlock implements GrowingBlock {
  readonly kind = 'block';
  readonly format = 'float32';
  readonly dim: number;
  readonly capacity: number;
  readonly #owned: Owned;
  #rowCount = 0;

  constructor(dim: number, capacity: number) {
    this.dim = dim;
    this.capacity = capacity;
    this.#owned = new Owned(
      'block',
      callNative(() => nativeBinding().createBlock(dim, capacity)),
    );
  }

  get handle(): DataHandle {
    return this.#owned.handle;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  append(values: VectorValues): void {
    const vectors = float32Values(this, values);
    const added = vectors.length / this.dim;
    assert(
      Number.isInteger(added),
      `${vectors.length} values are not whole rows of ${this.dim}; append whole rows`,
    );
    assert(
      this.#rowCount + added <= this.capacity,
      `${this.#rowCount} + ${added} rows exceed the block's ${this.capacity}`,
    );
    this.#rowCount = nativeBinding().appendRows(this.handle, vectors);
  }

  read(rows: Uint32Array, out: DenseValues): void {
    checkRead(rows, out, this.#rowCount, this.dim);
    nativeBinding().readRows(this.handle, rows, float32Values(this, out));
  }

  readSparse(): SparseValues {
    throw new AssertionError('float32 vectors are read with read');
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** The addon's handle of any source; a kernel takes only what kernels made. */
export function handleOf(data: SearchSource['data']): DataHandle {
  assert(
    data instanceof NativeVectorFile || data instanceof NativeVectorIndex || data instanceof NativeBlock,
    'the source was made by another kernel implementation',
  );
  return data.handle;
}

/** The one format this kernel does yet. Errors: `NOT_SUPPORTED`. */
export function float32Values({ format }: VectorShape, values: VectorValues): Float32Array {
  if (format !== 'float32') throw notSupported(format);
  assert(values instanceof Float32Array, 'float32 vectors are a Float32Array');
  return values;
}

function notSupported(format: string): MishardsError {
  return new MishardsError('NOT_SUPPORTED', `${format} vectors are not supported by the native kernel yet`);
}

function checkRead(rows: Uint32Array, out: DenseValues, rowCount: number, dim: number): void {
  assert(
    out.length === rows.length * dim,
    `${out.length} values cannot hold ${rows.length} rows of ${dim} exactly`,
  );
  for (const row of rows) assert(row < rowCount, `row ${row} is not below the row count ${rowCount}`);
}
