import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { CollectionMeta, IndexFile, IndexMeta, SegmentMeta } from '../catalog/model.ts';
import { isScalarIndexType, isScalarIndexWithFiles } from '../catalog/scalar-index.ts';
import { indexTypeSpec } from '../kernel/index-types.ts';
import type { CollectionSchema } from '../schema/index.ts';

/** An index file that a segment lacks. */
export interface IndexJob {
  readonly segment: SegmentMeta;
  readonly index: IndexMeta;
}

/** An index file whose index was dropped. */
export interface StaleFile {
  readonly segment: SegmentMeta;
  readonly file: IndexFile;
}

export interface IndexWork {
  readonly missing: readonly IndexJob[];
  readonly stale: readonly StaleFile[];
}

/** Whether segments have files of their own for the index. */
export function hasFiles(index: IndexMeta, schema: CollectionSchema): boolean {
  if (isScalarIndexType(index.type)) return isScalarIndexWithFiles(index, schema);
  return indexTypeSpec(index.type) !== undefined && index.metric !== null;
}

/** Derives what is to be built and removed from the catalog alone. A collection is looked at again only when it has changed. */
export class IndexWorkFinder {
  readonly #rowsMin: number;
  readonly #found = new WeakMap<
    readonly SegmentMeta[],
    {
      readonly incoming: readonly SegmentMeta[];
      readonly indexes: readonly IndexMeta[];
      readonly work: IndexWork;
    }
  >();

  /** Segments with fewer rows need no file. */
  constructor(rowsMin: number) {
    this.#rowsMin = rowsMin;
  }

  find(snapshot: CatalogSnapshot): IndexWork {
    const missing: IndexJob[] = [];
    const stale: StaleFile[] = [];
    for (const collection of snapshot.collections.values()) {
      const { id } = collection;
      const work = this.#ofCollection(collection, snapshot.segmentsOf(id), snapshot.incomingOf(id));
      missing.push(...work.missing);
      stale.push(...work.stale);
    }
    return { missing, stale };
  }

  /** Segments that are read without an index come before those that are not read yet. */
  #ofCollection(
    { indexes, schema }: CollectionMeta,
    visible: readonly SegmentMeta[],
    incoming: readonly SegmentMeta[],
  ): IndexWork {
    const found = this.#found.get(visible);
    if (found?.indexes === indexes && found.incoming === incoming) return found.work;
    const segments = [...visible, ...incoming];
    const wanted = indexes.filter((index) => hasFiles(index, schema));
    const work = {
      missing: segments.flatMap((segment) => this.#missing(segment, wanted)),
      stale: segments.flatMap((segment) =>
        segment.indexes
          .filter((file) => !indexes.some((index) => index.id === file.indexId))
          .map((file) => ({ segment, file })),
      ),
    };
    this.#found.set(visible, { incoming, indexes, work });
    return work;
  }

  #missing(segment: SegmentMeta, wanted: readonly IndexMeta[]): IndexJob[] {
    if (segment.rowCount < this.#rowsMin) return [];
    return wanted.filter((index) => lacksFile(segment, index)).map((index) => ({ segment, index }));
  }
}

/** Whether the segment has what the index is built over and no file of it. */
export function lacksFile(segment: SegmentMeta, index: IndexMeta): boolean {
  return (
    (isScalarIndexType(index.type) || segment.vectors.some((file) => file.fieldId === index.fieldId)) &&
    !segment.indexes.some((file) => file.indexId === index.id)
  );
}
