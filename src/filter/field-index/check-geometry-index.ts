import { bitAt, bitmapBytes, newBitmap, setBit } from '../../columns/bitmap.ts';
import { NUMBERS_PER_BOX } from '../../geometry/index.ts';
import type { Turns } from '../../host/index.ts';
import { checkBitmap, corrupt } from './check-index.ts';

/** Boxes checked between two looks at the clock. */
const STEPS = 16_384;

export interface GeometryIndexParts {
  readonly rowCount: number;
  readonly rows: Uint32Array;
  readonly boxes: Float32Array;
  readonly known: Uint8Array | null;
}

/**
 * Refuses with `CORRUPT_DATA` what can be told not to be of `buildGeometryIndex`: whatever passes can be read without further
 * checks and answers for rows that exist. The order of the boxes is not looked at: another finds the same, later.
 */
export async function checkGeometryIndex(
  { rowCount, rows, boxes, known }: GeometryIndexParts,
  turns: Turns,
): Promise<void> {
  if (known !== null) checkBitmap(known, bitmapBytes(rowCount), rowCount);
  if (boxes.length !== rows.length * NUMBERS_PER_BOX)
    throw corrupt(`it has ${boxes.length} sides of boxes for ${rows.length} rows`);
  const seen = newBitmap(rowCount, 0);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    if (row >= rowCount || bitAt(seen, row)) throw corrupt(`row ${row} of ${rowCount} has a box too many`);
    if (known !== null && !bitAt(known, row)) throw corrupt(`row ${row} has no value`);
    setBit(seen, row);
    const at = index * NUMBERS_PER_BOX;
    const isBox = boxes[at]! <= boxes[at + 2]! && boxes[at + 1]! <= boxes[at + 3]!;
    if (!isBox) throw corrupt(`the box of row ${row} ends before it begins`);
    if (index % STEPS === 0 && turns.isOver) await turns.next();
  }
}
