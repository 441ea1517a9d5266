import { MishardsError } from '../../errors/index.ts';
import type { Metric } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';
import type { GrowingBlock, IndexType, VectorFile, VectorIndex } from '../kernel.ts';

/** Rows of vectors in one array, row after row. */
abstract class MemoryVectors implements Disposable {
  readonly dim: number;
  protected values: Float32Array;
  #disposed = false;

  constructor(dim: number, values: Float32Array) {
    this.dim = dim;
    this.values = values;
  }

  abstract readonly rowCount: number;

  /** All rows, for a search or build that begins now. */
  borrow(): Float32Array {
    if (this.#disposed) throw disposed('vectors were');
    return this.values;
  }

  read(rows: Uint32Array, out: Float32Array): void {
    const values = this.borrow();
    assert(out.length === rows.length * this.dim, `${out.length} values for ${rows.length} rows`);
    rows.forEach((row, index) => {
      assert(row < this.rowCount, `row ${row} of ${this.rowCount}`);
      out.set(values.subarray(row * this.dim, (row + 1) * this.dim), index * this.dim);
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.values = new Float32Array(0);
  }
}

export class MemoryVectorFile extends MemoryVectors implements VectorFile {
  readonly kind = 'vectors';
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly checksum: number;

  constructor(dim: number, values: Float32Array, checksum: number) {
    super(dim, values);
    this.rowCount = values.length / dim;
    this.sizeBytes = values.byteLength;
    this.checksum = checksum;
  }
}

export class MemoryBlock extends MemoryVectors implements GrowingBlock {
  readonly kind = 'block';
  readonly capacity: number;
  #rowCount = 0;

  constructor(dim: number, capacity: number) {
    super(dim, new Float32Array(capacity * dim));
    this.capacity = capacity;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  append(vectors: Float32Array): void {
    const values = this.borrow();
    const count = vectors.length / this.dim;
    assert(Number.isInteger(count), `${vectors.length} values are not whole rows of ${this.dim}`);
    assert(this.#rowCount + count <= this.capacity, `${count} more rows exceed ${this.capacity}`);
    values.set(vectors, this.#rowCount * this.dim);
    this.#rowCount += count;
  }
}

/** Answers exactly, from the vectors it was built over, which it keeps. */
export class MemoryIndex implements VectorIndex {
  readonly kind = 'index';
  readonly type: IndexType;
  readonly metric: Metric;
  readonly rowCount: number;
  readonly dim: number;
  readonly sizeBytes: number;
  #values: Float32Array | null;

  constructor(type: IndexType, metric: Metric, vectors: MemoryVectorFile, sizeBytes: number) {
    this.type = type;
    this.metric = metric;
    this.rowCount = vectors.rowCount;
    this.dim = vectors.dim;
    this.sizeBytes = sizeBytes;
    this.#values = vectors.borrow();
  }

  borrow(): Float32Array {
    if (this.#values === null) throw disposed('index was');
    return this.#values;
  }

  [Symbol.dispose](): void {
    this.#values = null;
  }
}

function disposed(what: string): MishardsError {
  return new MishardsError('INTERNAL', `the ${what} disposed; open it again before using it`);
}
