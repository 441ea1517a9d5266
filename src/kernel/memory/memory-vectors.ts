import { MishardsError } from '../../errors/index.ts';
import { assert } from '../../util/assert.ts';
import type { IndexType } from '../index-types.ts';
import type {
  DenseValues,
  GrowingBlock,
  KernelMetric,
  SparseValues,
  VectorFile,
  VectorFormat,
  VectorIndex,
  VectorShape,
  VectorValues,
} from '../kernel.ts';
import {
  concatSparse,
  countVectors,
  isSparse,
  newDenseValues,
  rowWidth,
  takeVectors,
  vectorsDefect,
} from '../vectors.ts';

/** Rows of vectors in one array, row after row. */
abstract class MemoryVectors implements VectorShape, Disposable {
  readonly format: VectorFormat;
  readonly dim: number;
  protected values: VectorValues;
  #disposed = false;

  constructor({ format, dim }: VectorShape, values: VectorValues) {
    this.format = format;
    this.dim = dim;
    this.values = values;
  }

  abstract readonly rowCount: number;

  /** All rows, for a search or build that begins now. */
  borrow(): VectorValues {
    if (this.#disposed) throw disposed('vectors were');
    return this.values;
  }

  read(rows: Uint32Array, out: DenseValues): void {
    const taken = this.#take(rows);
    assert(!isSparse(taken), 'sparse vectors are read with readSparse');
    assert(out.length === taken.length, `${out.length} values for ${rows.length} rows`);
    out.set(taken);
  }

  readSparse(rows: Uint32Array): SparseValues {
    const taken = this.#take(rows);
    assert(isSparse(taken), `${this.format} vectors are read with read`);
    return taken;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.values = new Float32Array(0);
  }

  #take(rows: Uint32Array): VectorValues {
    for (const row of rows) assert(row < this.rowCount, `row ${row} of ${this.rowCount}`);
    return takeVectors(this, this.borrow(), rows);
  }
}

export class MemoryVectorFile extends MemoryVectors implements VectorFile {
  readonly kind = 'vectors';
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly checksum: number;

  constructor(shape: VectorShape, values: VectorValues, sizeBytes: number, checksum: number) {
    super(shape, values);
    this.rowCount = countVectors(shape, values);
    this.sizeBytes = sizeBytes;
    this.checksum = checksum;
  }
}

export class MemoryBlock extends MemoryVectors implements GrowingBlock {
  readonly kind = 'block';
  readonly capacity: number;
  #rowCount = 0;

  constructor(shape: VectorShape, capacity: number) {
    super(shape, shape.format === 'sparse' ? concatSparse([]) : newDenseValues(shape, capacity));
    this.capacity = capacity;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  append(vectors: VectorValues): void {
    const values = this.borrow();
    const defect = vectorsDefect(this, vectors);
    assert(defect === null, defect ?? '');
    const count = countVectors(this, vectors);
    assert(this.#rowCount + count <= this.capacity, `${count} more rows exceed ${this.capacity}`);
    if (isSparse(vectors)) this.values = concatSparse([values as SparseValues, vectors]);
    else (values as DenseValues).set(vectors, this.#rowCount * rowWidth(this));
    this.#rowCount += count;
  }
}

/** Answers exactly, from the vectors it was built over, which it keeps. */
export class MemoryIndex implements VectorIndex {
  readonly kind = 'index';
  readonly type: IndexType;
  readonly metric: KernelMetric;
  readonly format: VectorFormat;
  readonly dim: number;
  readonly rowCount: number;
  readonly sizeBytes: number;
  #values: VectorValues | null;

  constructor(type: IndexType, metric: KernelMetric, vectors: MemoryVectorFile, sizeBytes: number) {
    this.type = type;
    this.metric = metric;
    this.format = vectors.format;
    this.dim = vectors.dim;
    this.rowCount = vectors.rowCount;
    this.sizeBytes = sizeBytes;
    this.#values = vectors.borrow();
  }

  borrow(): VectorValues {
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
