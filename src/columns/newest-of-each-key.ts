import type { PrimaryKeyColumn } from './column.ts';
import { KeySet } from './key-set.ts';

/** The rows that stand for their keys, each key's the one of the highest timestamp; by first appearance of the key. */
export function newestOfEachKey(
  keys: PrimaryKeyColumn,
  timestamps: BigUint64Array,
): Uint32Array<ArrayBuffer> {
  const known = new KeySet(keys.type);
  const newest: number[] = [];
  for (let row = 0; row < keys.length; row++) {
    const number = known.add(keys, row);
    const rival = newest[number];
    if (rival === undefined || timestamps[row]! > timestamps[rival]!) newest[number] = row;
  }
  return Uint32Array.from(newest);
}
