import { MishardsError } from '../errors/index.ts';
import { assert } from '../util/assert.ts';
import type { Metric } from '../schema/index.ts';
import type { GrowingBlock, IndexType, SearchSource, VectorFile, VectorIndex } from './kernel.ts';
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

  read(rows: Uint32Array, out: Float32Array): void {
    checkRead(rows, out, this.rowCount, this.dim);
    nativeBinding().readRows(this.handle, rows, out);
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

export class NativeVectorIndex implements VectorIndex {
  readonly kind = 'index';
  readonly type: IndexType = 'HNSW';
  readonly metric: Metric;
  readonly rowCount: number;
  readonly dim: number;
  readonly sizeBytes: number;
  readonly #owned: Owned;

  constructor(native: NativeIndex) {
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

  append(vectors: Float32Array): void {
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

  read(rows: Uint32Array, out: Float32Array): void {
    checkRead(rows, out, this.#rowCount, this.dim);
    nativeBinding().readRows(this.handle, rows, out);
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

function checkRead(rows: Uint32Array, out: Float32Array, rowCount: number, dim: number): void {
  assert(
    out.length === rows.length * dim,
    `${out.length} values cannot hold ${rows.length} rows of ${dim} exactly`,
  );
  for (const row of rows) assert(row < rowCount, `row ${row} is not below the row count ${rowCount}`);
}
