import type { SegmentSlot } from './segment-slot.ts';
import type { PrimaryKeyColumn } from '../columns/index.ts';
import type { FreshBlock, ReadableRows } from '../segment/segment.ts';

/**
 * Rows of one sealed segment or one fresh block, as they stood when the request looked at all its sources at once: later
 * inserts and deletes change nothing of it.
 */
export interface ReadSource {
  readonly rows: ReadableRows;
  /** The slot of a sealed segment, whose filter results can be kept; null for fresh rows. */
  readonly slot: SegmentSlot | null;
  readonly rowCount: number;
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  /** Bitmap of the rows that count; null = all. Not to be written. */
  readonly visible: Uint8Array | null;
}

export function sealedSource(slot: SegmentSlot): ReadSource {
  const { segment } = slot;
  const { rowCount, keys, timestamps } = segment;
  return { rows: segment, slot, rowCount, keys, timestamps, visible: slot.frozenAlive() };
}

export function freshSource(block: FreshBlock): ReadSource {
  const { rowCount, keys, timestamps } = block;
  return { rows: block, slot: null, rowCount, keys, timestamps, visible: block.visible() };
}
