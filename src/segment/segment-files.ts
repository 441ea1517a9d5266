import type { FieldFile, IndexFile, SegmentFile, SegmentMeta } from '../catalog/model.ts';
import { isErrorWithCode, MishardsError } from '../errors/index.ts';
import type { FieldIndex } from '../filter/index.ts';
import { Turns, type Host } from '../host/index.ts';
import type { Kernel, VectorFile, VectorIndex } from '../kernel/kernel.ts';
import type { ColumnShape } from '../columns/index.ts';
import { verifyArrowFile } from './arrow/arrow-file.ts';
import { ArrowFileReader } from './arrow/arrow-file-reader.ts';
import type { CachedFile, SegmentCache } from './segment-cache.ts';
import { readScalarIndex, type StoredIndex } from './scalar-index-file.ts';
import { METADATA_KEYS } from './segment-format.ts';

/** How long checking an index may keep the event loop. */
const TURN_MS = 5;

export type SegmentHost = Pick<Host, 'clock' | 'files' | 'timers'>;

export interface Opened<T> extends AsyncDisposable {
  readonly content: T;
}

/** Opens the files of one segment from the cache. A copy that turns out to be damaged is discarded, so that another try downloads it anew. */
export class SegmentFiles {
  readonly #meta: SegmentMeta;
  readonly #cache: SegmentCache;
  readonly #kernel: Kernel;
  readonly #host: SegmentHost;

  constructor(meta: SegmentMeta, cache: SegmentCache, kernel: Kernel, host: SegmentHost) {
    this.#meta = meta;
    this.#cache = cache;
    this.#kernel = kernel;
    this.#host = host;
  }

  /** The whole file is read once to be verified, unless this process did so before. */
  async openRows(signal?: AbortSignal): Promise<Opened<ArrowFileReader>> {
    return this.#open(this.#meta.rows, signal, async (cached) => {
      await cached.verify((path) => verifyArrowFile(this.#host.files, path));
      const reader = await ArrowFileReader.open(this.#host.files, cached.path);
      const segmentId = reader.metadata.get(METADATA_KEYS.segmentId);
      if (segmentId !== this.#meta.id) throw this.#mismatch(`is of segment ${segmentId}`);
      this.#checkRowCount(reader.rowCount);
      return reader;
    });
  }

  async openVectors(file: FieldFile, signal?: AbortSignal): Promise<Opened<VectorFile>> {
    return this.#open(file, signal, async (cached) => {
      const vectors = await this.#kernel.openVectors(cached.path);
      this.#checkRowCount(vectors.rowCount);
      return vectors;
    });
  }

  async openIndex(file: IndexFile, vectors: VectorFile, signal?: AbortSignal): Promise<Opened<VectorIndex>> {
    return this.#open(file, signal, (cached) => this.#kernel.openIndex(cached.path, vectors));
  }

  /** `shape`: of the field's column; null where the segment has none. */
  async openScalarIndex(
    file: IndexFile,
    shape: Pick<ColumnShape, 'type' | 'elementType'> | null,
    signal?: AbortSignal,
  ): Promise<Opened<FieldIndex>> {
    const { id: segmentId, rowCount } = this.#meta;
    return this.#open(file, signal, async (cached) => {
      const owner = { segmentId, fieldId: file.fieldId, rowCount };
      const turns = new Turns(this.#host, TURN_MS);
      const stored = await readScalarIndex(this.#host.files, cached.path, owner, turns);
      if (shape !== null && !isIndexOf(stored, shape)) throw this.#mismatch(`indexes ${stored.type} values`);
      return stored.content;
    });
  }

  async #open<T extends object>(
    file: SegmentFile,
    signal: AbortSignal | undefined,
    read: (cached: CachedFile) => Promise<T>,
  ): Promise<Opened<T>> {
    await using stack = new AsyncDisposableStack();
    const cached = stack.use(await this.#cache.open(file, signal));
    try {
      const content = await read(cached);
      if (Symbol.dispose in content) stack.use(content as Disposable);
      const resources = stack.move();
      return { content, [Symbol.asyncDispose]: () => resources.disposeAsync() };
    } catch (error) {
      if (isErrorWithCode(error, 'CORRUPT_DATA')) await cached.discard();
      throw error;
    }
  }

  #checkRowCount(rowCount: number): void {
    if (rowCount !== this.#meta.rowCount) throw this.#mismatch(`has ${rowCount} rows`);
  }

  #mismatch(what: string): MishardsError {
    const { id, rowCount } = this.#meta;
    return new MishardsError('CORRUPT_DATA', `a file of segment ${id} with ${rowCount} rows ${what}`);
  }
}

function isIndexOf(stored: StoredIndex, shape: Pick<ColumnShape, 'type' | 'elementType'>): boolean {
  if (stored.json !== null) return shape.type === 'JSON';
  return stored.isArray
    ? shape.type === 'Array' && shape.elementType === stored.type
    : shape.type === stored.type;
}
