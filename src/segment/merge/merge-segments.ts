import { mergeOrder, type MergePiece, type OrderedRows } from './merge-order.ts';
import { rowsThatLive } from './rows-that-live.ts';
import type { SegmentMeta } from '../../catalog/model.ts';
import type { RowLife } from '../../catalog/time-to-live.ts';
import {
  concatColumns,
  createColumnBuilder,
  defaultColumn,
  sliceColumn,
  type Column,
} from '../../columns/index.ts';
import { isVectorType, type FieldSchema } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';
import { writeSortedSegment, type WriteSegmentOptions } from '../segment-writer.ts';
import type { SealedSegment, SortedRows } from '../segment.ts';

export interface MergeSegmentsOptions extends WriteSegmentOptions {
  /** Their deletes applied, with all vectors, and not keeping columns. They do not change while they are merged. */
  readonly sources: readonly SealedSegment[];
  /** Rows that have outlived their time are left out. */
  readonly life: RowLife;
  /** Called after each piece of work, so that others get their turn. */
  readonly pause: () => Promise<void>;
}

/** Rows between two pauses. */
const PIECE_ROWS = 16_384;

/**
 * Writes the living rows of several segments of one channel and partition as one, each with its own timestamp. null when none
 * lives. Fields of the schema that some of the sources lack have their default there. Memory: the keys and timestamps of the
 * sources, the scalar columns of the result, and one column while it is taken over. Errors as of `writeSegment`.
 */
export async function mergeSegments(options: MergeSegmentsOptions): Promise<SegmentMeta | null> {
  const { sources, life, pause } = options;
  const ordered: OrderedRows[] = [];
  for (const source of sources) {
    const living = await rowsThatLive(source, life);
    ordered.push({ keys: source.keys, timestamps: source.timestamps, alive: () => living });
    await pause();
  }
  const pieces: MergePiece[] = [];
  for (const piece of mergeOrder(ordered, life.since, PIECE_ROWS)) {
    pieces.push(piece);
    await pause();
  }
  if (pieces.length === 0) return null;
  return await writeSortedSegment(options, new MergedRows(options, pieces));
}

class MergedRows implements SortedRows {
  readonly rowCount: number;
  readonly timestamps: BigUint64Array;
  readonly #options: MergeSegmentsOptions;
  readonly #pieces: readonly MergePiece[];

  constructor(options: MergeSegmentsOptions, pieces: readonly MergePiece[]) {
    this.#options = options;
    this.#pieces = pieces;
    this.rowCount = pieces.reduce((sum, { order }) => sum + order.length, 0);
    this.timestamps = new BigUint64Array(this.rowCount);
    let at = 0;
    for (const { timestamps } of pieces) {
      this.timestamps.set(timestamps, at);
      at += timestamps.length;
    }
  }

  async column(fieldId: number): Promise<Column | null> {
    const { schema, sources, pause } = this.#options;
    const field = schema.fields.find((candidate) => candidate.id === fieldId);
    assert(field !== undefined, `the schema has field ${fieldId}`);
    const parts: (PartOfColumn | null)[] = [];
    for (const source of sources) parts.push(await partsOf(source, field));
    if (parts.every((part) => part === null)) return null;
    const builder = createColumnBuilder(field, this.rowCount);
    for (const piece of this.#pieces) {
      const columns = piece.parts.map(
        ({ source, from, to }) => parts[source]?.(from, to) ?? defaultColumn(field, to - from),
      );
      builder.appendRows(concatColumns(columns), piece.order);
      await pause();
    }
    return builder.view();
  }
}

type PartOfColumn = (from: number, to: number) => Column;

/** null when the segment was written before the field existed. */
async function partsOf(source: SealedSegment, field: FieldSchema): Promise<PartOfColumn | null> {
  if (isVectorType(field.type)) {
    const isThere = source.meta.vectors.some((file) => file.fieldId === field.id);
    return isThere ? (from, to) => source.vectorRows(field.id, from, to) : null;
  }
  const column = field.isPrimaryKey ? source.keys : await source.column(field.id);
  return column === null ? null : (from, to) => sliceColumn(column, from, to);
}
