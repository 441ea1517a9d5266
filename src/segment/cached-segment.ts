import type { IndexFile, SegmentMeta } from '../catalog/model.ts';
import { isScalarIndexType } from '../catalog/scalar-index.ts';
import {
  bitAt,
  clearBit,
  columnBytes,
  compareKeys,
  lowerBound,
  newBitmap,
  takeBits,
  type Column,
  type PrimaryKeyColumn,
  type VectorColumn,
} from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import { SortedKeys, type FieldIndex, type IndexMatches, type Predicate } from '../filter/index.ts';
import type { KernelMetric, SearchSource, VectorFile, VectorIndex } from '../kernel/kernel.ts';
import type { IndexId } from '../schema/index.ts';
import { assert } from '../util/assert.ts';
import { decodeColumn } from './arrow/arrow-column.ts';
import type { ArrowFileReader } from './arrow/arrow-file-reader.ts';
import type { Opened, SegmentFiles } from './segment-files.ts';
import type { DeleteBatch, SealedSegment } from './segment.ts';
import { readVectorColumn } from './vector-columns.ts';

export interface OpenVectors {
  readonly file: VectorFile;
  /** Bitmap of the rows that are not null; null = all. */
  readonly validity: Uint8Array | null;
}

interface OpenIndex<Index> {
  readonly fieldId: number;
  readonly opened: Opened<Index>;
}

export interface CachedSegmentParts {
  readonly meta: SegmentMeta;
  readonly keyFieldId: number;
  readonly files: SegmentFiles;
  readonly reader: ArrowFileReader;
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  readonly vectors: ReadonlyMap<number, OpenVectors>;
  /** Whether scalar columns stay in memory once they were asked for. */
  readonly keepsColumns: boolean;
  /** What goes with the segment. */
  readonly resources: AsyncDisposableStack;
}

/** A sealed segment over files of the local cache. */
export class CachedSegment implements SealedSegment {
  readonly meta: SegmentMeta;
  readonly rowCount: number;
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  readonly #parts: CachedSegmentParts;
  readonly #columns = new Map<number, Promise<Column>>();
  /** In the order in which they were opened. */
  readonly #indexes = new Map<IndexId, OpenIndex<VectorIndex>>();
  readonly #scalarIndexes = new Map<IndexId, OpenIndex<FieldIndex>>();
  readonly #sortedKeys: SortedKeys;
  #columnBytes = 0;
  #alive: Uint8Array | null = null;
  #disposed = false;

  constructor(parts: CachedSegmentParts) {
    this.#parts = parts;
    this.meta = parts.meta;
    this.rowCount = parts.meta.rowCount;
    this.keys = parts.keys;
    this.timestamps = parts.timestamps;
    this.#sortedKeys = new SortedKeys(parts.keyFieldId, parts.keys);
  }

  get memoryBytes(): number {
    let bytes = columnBytes(this.keys) + this.timestamps.byteLength + this.#columnBytes;
    bytes += this.#alive?.byteLength ?? 0;
    for (const { file, validity } of this.#parts.vectors.values())
      bytes += file.sizeBytes + (validity?.byteLength ?? 0);
    for (const { opened } of this.#indexes.values()) bytes += opened.content.sizeBytes;
    for (const { opened } of this.#scalarIndexes.values()) bytes += opened.content.sizeBytes;
    return bytes;
  }

  get openIndexes(): ReadonlySet<IndexId> {
    return new Set([...this.#indexes.keys(), ...this.#scalarIndexes.keys()]);
  }

  async column(fieldId: number): Promise<Column | null> {
    assert(!this.#disposed, 'a segment is not used after it was disposed');
    if (this.#parts.vectors.has(fieldId)) return this.vectorRows(fieldId, 0, this.rowCount);
    const field = this.#parts.reader.find('value', fieldId);
    if (field === undefined) return null;
    if (!this.#parts.keepsColumns) return decodeColumn(field.shape, await this.#parts.reader.read(field));
    const loading = this.#columns.get(fieldId) ?? this.#load(fieldId);
    this.#columns.set(fieldId, loading);
    return loading;
  }

  alive(): Uint8Array | null {
    return this.#alive;
  }

  vectorValidity(fieldId: number): Uint8Array | null {
    const vectors = this.#parts.vectors.get(fieldId);
    return vectors === undefined ? newBitmap(this.rowCount, 0) : vectors.validity;
  }

  readVectors(fieldId: number, rows: Uint32Array): VectorColumn {
    const { file, validity } = this.#vectorsOf(fieldId);
    return readVectorColumn(file, rows, validity === null ? null : takeBits(validity, rows));
  }

  /** Not kept: output and filters do not need whole vector columns, compaction needs each row once. */
  vectorRows(fieldId: number, from: number, to: number): VectorColumn {
    return this.readVectors(
      fieldId,
      Uint32Array.from({ length: to - from }, (_, index) => from + index),
    );
  }

  searchable(fieldId: number, metric?: KernelMetric): Omit<SearchSource, 'allowed'> {
    const { file } = this.#vectorsOf(fieldId);
    const index = [...this.#indexes.values()].findLast(
      ({ fieldId: indexed, opened }) =>
        indexed === fieldId && (metric === undefined || opened.content.metric === metric),
    );
    return { data: index?.opened.content ?? file, rowCount: this.rowCount };
  }

  applyDeletes(deletes: DeleteBatch): number {
    let count = 0;
    for (let index = 0; index < deletes.keys.length; index++) {
      const partitionId = deletes.partitionIds[index]!;
      if (partitionId !== null && partitionId !== this.meta.partitionId) continue;
      count += this.#delete(deletes.keys, index, deletes.timestamps[index]!);
    }
    return count;
  }

  matches(predicate: Predicate): IndexMatches | null {
    const found = this.#sortedKeys.matches(predicate);
    if (found !== null) return found;
    for (const { opened } of this.#scalarIndexes.values()) {
      const matches = opened.content.matches(predicate);
      if (matches !== null) return matches;
    }
    return null;
  }

  async openIndex(file: IndexFile, signal?: AbortSignal): Promise<void> {
    if (isScalarIndexType(file.type)) return await this.#openScalarIndex(file, signal);
    if (this.#indexes.has(file.indexId)) return;
    const vectors = this.#vectorsOf(file.fieldId);
    const opened = await this.#parts.files.openIndex(file, vectors.file, signal);
    if (this.#disposed || this.#indexes.has(file.indexId)) return opened[Symbol.asyncDispose]();
    this.#indexes.set(file.indexId, { fieldId: file.fieldId, opened });
  }

  async closeIndex(indexId: IndexId): Promise<void> {
    const index = this.#indexes.get(indexId) ?? this.#scalarIndexes.get(indexId);
    this.#indexes.delete(indexId);
    this.#scalarIndexes.delete(indexId);
    await index?.opened[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await Promise.all([...this.openIndexes].map((indexId) => this.closeIndex(indexId)));
    await this.#parts.resources.disposeAsync();
  }

  async #openScalarIndex(file: IndexFile, signal?: AbortSignal): Promise<void> {
    const { indexId, fieldId } = file;
    if (this.#scalarIndexes.has(indexId)) return;
    assert(!this.#disposed, 'a segment is not used after it was disposed');
    const shape = this.#parts.reader.find('value', fieldId)?.shape ?? null;
    const opened = await this.#parts.files.openScalarIndex(file, shape, signal);
    if (this.#disposed || this.#scalarIndexes.has(indexId)) return opened[Symbol.asyncDispose]();
    this.#scalarIndexes.set(indexId, { fieldId, opened });
  }

  /** Rows of a key are next to each other, the oldest first. */
  #delete(keys: PrimaryKeyColumn, index: number, timestamp: bigint): number {
    let count = 0;
    for (let row = lowerBound(this.keys, keys, index); row < this.rowCount; row++) {
      if (this.timestamps[row]! >= timestamp || compareKeys(this.keys, row, keys, index) !== 0) break;
      this.#alive ??= newBitmap(this.rowCount, 1);
      if (!bitAt(this.#alive, row)) continue;
      clearBit(this.#alive, row);
      count++;
    }
    return count;
  }

  async #load(fieldId: number): Promise<Column> {
    const { reader } = this.#parts;
    const field = reader.require('value', fieldId);
    try {
      const column = decodeColumn(field.shape, await reader.read(field));
      this.#columnBytes += columnBytes(column);
      return column;
    } catch (error) {
      this.#columns.delete(fieldId);
      throw error;
    }
  }

  #vectorsOf(fieldId: number): OpenVectors {
    assert(!this.#disposed, 'a segment is not used after it was disposed');
    const vectors = this.#parts.vectors.get(fieldId);
    if (vectors !== undefined) return vectors;
    throw new MishardsError(
      'FIELD_NOT_FOUND',
      `segment ${this.meta.id} has no vectors of field ${fieldId} open`,
    );
  }
}
