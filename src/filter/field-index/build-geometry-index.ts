import { bitAt, bitmapBytes } from '../../columns/bitmap.ts';
import type { BytesColumn } from '../../columns/column.ts';
import {
  BoxTree,
  HILBERT_SIDE,
  hilbertCode,
  NUMBERS_PER_BOX,
  setBox,
  StoredGeometries,
  type GeometryBounds,
} from '../../geometry/index.ts';
import type { Turns } from '../../host/index.ts';
import { GeometryIndex } from './geometry-index.ts';
import { sortInTurns } from './sort-in-turns.ts';

/** Rows handled between two looks at the clock. */
const STEPS = 4_096;

/** Builds the index of a Geometry field from its column. The same column gives the same index. */
export async function buildGeometryIndex(
  fieldId: number,
  column: BytesColumn,
  turns: Turns,
): Promise<GeometryIndex> {
  const { rows, boxes } = await measured(column, turns);
  const codes = await codesOf(boxes, turns);
  const order = Uint32Array.from(rows.keys());
  const sorted = await sortInTurns(order, (left, right) => codes[left]! - codes[right]!, turns);
  const leaves = new Float32Array(boxes.length);
  for (let at = 0; at < sorted.length; at++) {
    const from = sorted[at]! * NUMBERS_PER_BOX;
    for (let side = 0; side < NUMBERS_PER_BOX; side++)
      leaves[at * NUMBERS_PER_BOX + side] = boxes[from + side]!;
    if (at % STEPS === 0 && turns.isOver) await turns.next();
  }
  return new GeometryIndex(fieldId, {
    rowCount: column.length,
    rows: sorted.map((at) => rows[at]!),
    tree: new BoxTree(leaves),
    known: column.validity?.slice(0, bitmapBytes(column.length)) ?? null,
  });
}

/** Those that are neither null nor empty. */
async function measured(
  { bytes, offsets, validity, length }: BytesColumn,
  turns: Turns,
): Promise<{ readonly rows: Uint32Array; readonly boxes: Float32Array }> {
  const stored = new StoredGeometries(bytes);
  const rows = new Uint32Array(length);
  const boxes = new Float32Array(length * NUMBERS_PER_BOX);
  let count = 0;
  for (let row = 0; row < length; row++) {
    if (row % STEPS === 0 && turns.isOver) await turns.next();
    if (validity !== null && !bitAt(validity, row)) continue;
    stored.measure(offsets[row]!);
    if (stored.isEmpty) continue;
    setBox(boxes, count, stored.bounds);
    rows[count++] = row;
  }
  return { rows: rows.subarray(0, count), boxes: boxes.subarray(0, count * NUMBERS_PER_BOX) };
}

/** Where the middle of each box is on Hilbert's curve through all of them. */
async function codesOf(boxes: Float32Array, turns: Turns): Promise<Uint32Array> {
  const all: GeometryBounds = { lowX: Infinity, lowY: Infinity, highX: -Infinity, highY: -Infinity };
  const codes = new Uint32Array(boxes.length / NUMBERS_PER_BOX);
  for (let box = 0; box < codes.length; box++) {
    const [x, y] = [middleOf(boxes, box, 0), middleOf(boxes, box, 1)];
    all.lowX = Math.min(all.lowX, x);
    all.lowY = Math.min(all.lowY, y);
    all.highX = Math.max(all.highX, x);
    all.highY = Math.max(all.highY, y);
    if (box % STEPS === 0 && turns.isOver) await turns.next();
  }
  for (let box = 0; box < codes.length; box++) {
    const x = placeOf(middleOf(boxes, box, 0), all.lowX, all.highX);
    const y = placeOf(middleOf(boxes, box, 1), all.lowY, all.highY);
    codes[box] = hilbertCode(x, y);
    if (box % STEPS === 0 && turns.isOver) await turns.next();
  }
  return codes;
}

function middleOf(boxes: Float32Array, box: number, axis: 0 | 1): number {
  const at = box * NUMBERS_PER_BOX + axis;
  return boxes[at]! / 2 + boxes[at + 2]! / 2;
}

/** 0 where all are in one place, and where the sides are too far away for 32 bits: the order costs time only. */
function placeOf(middle: number, low: number, high: number): number {
  const part = (middle - low) / (high - low);
  return part >= 0 && part <= 1 ? Math.floor(part * (HILBERT_SIDE - 1)) : 0;
}
