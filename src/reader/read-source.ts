import { intersect } from './bitmaps.ts';
import { rowsSince } from './rows-since.ts';
import type { SegmentSlot } from './segment-slot.ts';
import type { PrimaryKeyColumn } from '../columns/index.ts';
import type { Timestamp } from '../schema/index.ts';
import type { FreshBlock, ReadableRows } from '../segment/segment.ts';

/**
 * Rows of one sealed segment or one fresh block, as they stood when the request looked at all its sources at once: later
 * inserts and deletes change nothing of it.
 */
export interface ReadSource {
  readonly rows: ReadableRows;
  /** The slot of a sealed segment; null for fresh rows. */
  readonly slot: SegmentSlot | null;
  /** The block of fresh rows; null for a sealed segment. */
  readonly block: FreshBlock | null;
  readonly rowCount: number;
  readonly keys: PrimaryKeyColumn;
  readonly timestamps: BigUint64Array;
  /** Bitmap of the rows that count; null = all. Not to be written. */
  readonly visible: Uint8Array | null;
}

/** Rows older than `since` do not count. */
export function sealedSource(slot: SegmentSlot, since: Timestamp): ReadSource {
  const { segment } = slot;
  const { rowCount, keys, timestamps } = segment;
  const visible = intersect(slot.livingSince(since), slot.frozenAlive());
  return { rows: segment, slot, block: null, rowCount, keys, timestamps, visible };
}

/** Rows older than `since` do not count. */
export function freshSource(block: FreshBlock, since: Timestamp): ReadSource {
  const { rowCount, keys, timestamps } = block;
  const visible = intersect(rowsSince(timestamps, since), block.visible());
  return { rows: block, slot: null, block, rowCount, keys, timestamps, visible };
}
