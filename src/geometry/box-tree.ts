import type { BoundsTest, GeometryBounds } from './bounds.ts';

/** Of a box in an array: lowX, lowY, highX, highY. */
export const NUMBERS_PER_BOX = 4;
/** Boxes that share a box on the level above. */
const CHILDREN = 16;
/** Places for what is found, at first. */
const FOUND_AT_FIRST = 1_024;

/**
 * A packed R-tree over boxes that never change (Guttman 1984; packed as in Kamel and Faloutsos, "On packing R-trees", 1993): the
 * order the boxes come in is that of the leaves, so neighbours should be near each other in the plane. The levels above are
 * made here, as they follow from the leaves.
 */
export class BoxTree {
  /** From the leaves upwards. */
  readonly #levels: readonly Float32Array[];

  constructor(leaves: Float32Array) {
    const levels = [leaves];
    while (levels.at(-1)!.length > CHILDREN * NUMBERS_PER_BOX) levels.push(levelAbove(levels.at(-1)!));
    this.#levels = levels;
  }

  get leaves(): Float32Array {
    return this.#levels[0]!;
  }

  get sizeBytes(): number {
    return this.#levels.reduce((sum, level) => sum + level.byteLength, 0);
  }

  /** Numbers of the boxes that may pass, ascending; null when there are more than `countMax`. */
  search(mayPass: BoundsTest, countMax: number): Uint32Array | null {
    const found = new Found(Math.min(countMax, FOUND_AT_FIRST), countMax);
    const box = { lowX: 0, lowY: 0, highX: 0, highY: 0 };
    const visit = (level: number, from: number): boolean => {
      const boxes = this.#levels[level]!;
      const to = Math.min(from + CHILDREN, boxes.length / NUMBERS_PER_BOX);
      for (let index = from; index < to; index++) {
        readBox(boxes, index, box);
        if (!mayPass(box)) continue;
        const goesOn = level === 0 ? found.add(index) : visit(level - 1, index * CHILDREN);
        if (!goesOn) return false;
      }
      return true;
    };
    return visit(this.#levels.length - 1, 0) ? found.numbers : null;
  }
}

/** Stores bounds in 32 bits, widened to the next numbers that hold them. */
export function setBox(boxes: Float32Array, index: number, bounds: GeometryBounds): void {
  const at = index * NUMBERS_PER_BOX;
  boxes[at] = floor32(bounds.lowX);
  boxes[at + 1] = floor32(bounds.lowY);
  boxes[at + 2] = -floor32(-bounds.highX);
  boxes[at + 3] = -floor32(-bounds.highY);
}

class Found {
  #numbers: Uint32Array;
  #count = 0;
  readonly #max: number;

  constructor(capacity: number, max: number) {
    this.#numbers = new Uint32Array(capacity);
    this.#max = max;
  }

  /** False when there is no room for it. */
  add(number: number): boolean {
    if (this.#count === this.#max) return false;
    if (this.#count === this.#numbers.length) {
      const larger = new Uint32Array(Math.min(2 * this.#count, this.#max));
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#count++] = number;
    return true;
  }

  get numbers(): Uint32Array {
    return this.#numbers.subarray(0, this.#count);
  }
}

function readBox(boxes: Float32Array, index: number, box: GeometryBounds): void {
  const at = index * NUMBERS_PER_BOX;
  box.lowX = boxes[at]!;
  box.lowY = boxes[at + 1]!;
  box.highX = boxes[at + 2]!;
  box.highY = boxes[at + 3]!;
}

function levelAbove(level: Float32Array): Float32Array {
  const count = level.length / NUMBERS_PER_BOX;
  const above = new Float32Array(Math.ceil(count / CHILDREN) * NUMBERS_PER_BOX);
  for (let parent = 0; parent * CHILDREN < count; parent++) {
    const end = Math.min((parent + 1) * CHILDREN, count) * NUMBERS_PER_BOX;
    let [lowX, lowY, highX, highY] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = parent * CHILDREN * NUMBERS_PER_BOX; at < end; at += NUMBERS_PER_BOX) {
      if (level[at]! < lowX) lowX = level[at]!;
      if (level[at + 1]! < lowY) lowY = level[at + 1]!;
      if (level[at + 2]! > highX) highX = level[at + 2]!;
      if (level[at + 3]! > highY) highY = level[at + 3]!;
    }
    above.set([lowX, lowY, highX, highY], parent * NUMBERS_PER_BOX);
  }
  return above;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The greatest number of 32 bits that is not above. */
function floor32(value: number): number {
  const nearest = Math.fround(value);
  if (nearest <= value) return nearest;
  float[0] = nearest;
  // Numbers of one sign are in the order of their bits; below both zeros is the least of the negative ones.
  if (nearest > 0) bits[0]!--;
  else bits[0] = nearest === 0 ? -0x7fff_ffff : bits[0]! + 1;
  return float[0];
}
