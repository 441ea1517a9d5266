import { MishardsError } from '../errors/index.ts';
import { assert } from '../util/assert.ts';
import type { IndexType } from './index-types.ts';
import type {
  DenseValues,
  GrowingBlock,
  KernelMetric,
  SearchSource,
  SparseValues,
  VectorFile,
  VectorFormat,
  VectorIndex,
  VectorShape,
  VectorValues,
} from './kernel.ts';
import { formatCode, formatOfCode, metricOfCode } from './metric-codes.ts';
import {
  callNative,
  nativeBinding,
  type DataHandle,
  type NativeIndex,
  type NativeVectors as NativeVectorsFound,
} from './native-binding.ts';
import { countVectors, vectorsDefect } from './vectors.ts';

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

/** Reading, of files and blocks alike. */
abstract class NativeVectors implements VectorShape {
  readonly format: VectorFormat;
  readonly dim: number;
  readonly #owned: Owned;

  constructor(name: string, { format, dim }: VectorShape, handle: DataHandle) {
    this.format = format;
    this.dim = dim;
    this.#owned = new Owned(name, handle);
  }

  abstract readonly rowCount: number;

  get handle(): DataHandle {
    return this.#owned.handle;
  }

  read(rows: Uint32Array, out: DenseValues): void {
    assert(this.format !== 'sparse', 'sparse vectors are read with readSparse');
    const defect = vectorsDefect(this, out);
    assert(
      defect === null && countVectors(this, out) === rows.length,
      `${out.length} values cannot hold ${rows.length} rows of ${this.dim} exactly`,
    );
    this.#checkRows(rows);
    nativeBinding().readRows(this.handle, rows, out);
  }

  readSparse(rows: Uint32Array): SparseValues {
    assert(this.format === 'sparse', `${this.format} vectors are read with read`);
    this.#checkRows(rows);
    return nativeBinding().readSparseRows(this.handle, rows);
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  #checkRows(rows: Uint32Array): void {
    for (const row of rows)
      assert(row < this.rowCount, `row ${row} is not below the row count ${this.rowCount}`);
  }
}

export class NativeVectorFile extends NativeVectors implements VectorFile {
  readonly kind = 'vectors';
  readonly rowCount: number;
  readonly sizeBytes: number;

  constructor(native: NativeVectorsFound) {
    super('vector file', shapeOf(native), native.handle);
    this.rowCount = native.rowCount;
    this.sizeBytes = native.sizeBytes;
  }
}

export class NativeVectorIndex implements VectorIndex {
  readonly kind = 'index';
  readonly type: IndexType;
  readonly metric: KernelMetric;
  readonly format: VectorFormat;
  readonly dim: number;
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly #owned: Owned;

  constructor(native: NativeIndex) {
    this.type = native.type as IndexType;
    const { format, dim } = shapeOf(native);
    this.metric = metricOfCode(native.metric);
    this.format = format;
    this.dim = dim;
    this.rowCount = native.rowCount;
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

export class NativeBlock extends NativeVectors implements GrowingBlock {
  readonly kind = 'block';
  readonly capacity: number;
  #rowCount = 0;

  constructor(shape: VectorShape, capacity: number) {
    const create = () => nativeBinding().createBlock(formatCode(shape.format), shape.dim, capacity);
    super('block', shape, callNative(create));
    this.capacity = capacity;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  append(vectors: VectorValues): void {
    const defect = vectorsDefect(this, vectors);
    assert(defect === null, `${defect}; append whole rows`);
    const added = countVectors(this, vectors);
    assert(
      this.#rowCount + added <= this.capacity,
      `${this.#rowCount} + ${added} rows exceed the block's ${this.capacity}`,
    );
    this.#rowCount = nativeBinding().appendRows(this.handle, vectors, added);
  }
}

function shapeOf({ format, dim }: { readonly format: number; readonly dim: number }): VectorShape {
  return { format: formatOfCode(format), dim };
}

/** The addon's handle of any source; a kernel takes only what kernels made. */
export function handleOf(data: SearchSource['data']): DataHandle {
  assert(
    data instanceof NativeVectorFile || data instanceof NativeVectorIndex || data instanceof NativeBlock,
    'the source was made by another kernel implementation',
  );
  return data.handle;
}
