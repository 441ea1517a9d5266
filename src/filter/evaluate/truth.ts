import { newBitmap } from '../../columns/bitmap.ts';

/**
 * What a condition is for each row: a bit of `isTrue`, and a bit of `known` that is 0 where the condition is unknown
 * (null: known everywhere). A row that is not known is not true; bits past the last row are 0 in both.
 */
export interface Truth {
  readonly isTrue: Uint8Array;
  readonly known: Uint8Array | null;
}

export function constantTruth(value: boolean, rowCount: number): Truth {
  return { isTrue: newBitmap(rowCount, value ? 1 : 0), known: null };
}

export function unknownTruth(rowCount: number): Truth {
  return { isTrue: newBitmap(rowCount, 0), known: newBitmap(rowCount, 0) };
}

/** Takes `isTrue` over: rows that are not known are cleared in it. */
export function truthOf(isTrue: Uint8Array, known: Uint8Array | null): Truth {
  if (known !== null) for (let at = 0; at < isTrue.length; at++) isTrue[at]! &= known[at]!;
  return { isTrue, known };
}

/** False where either is false, true where both are true, else unknown. */
export function andTruth(left: Truth, right: Truth, rowCount: number): Truth {
  const isTrue = bothSet(left.isTrue, right.isTrue);
  if (left.known === null && right.known === null) return { isTrue, known: null };
  const leftKnown = left.known ?? newBitmap(rowCount, 1);
  const rightKnown = right.known ?? newBitmap(rowCount, 1);
  const known = new Uint8Array(isTrue.length);
  for (let at = 0; at < known.length; at++) {
    const isFalse = (leftKnown[at]! & ~left.isTrue[at]!) | (rightKnown[at]! & ~right.isTrue[at]!);
    known[at] = isTrue[at]! | isFalse;
  }
  return { isTrue, known };
}

/** True where either is true, false where both are false, else unknown. */
export function orTruth(left: Truth, right: Truth, rowCount: number): Truth {
  const isTrue = new Uint8Array(left.isTrue.length);
  for (let at = 0; at < isTrue.length; at++) isTrue[at] = left.isTrue[at]! | right.isTrue[at]!;
  if (left.known === null && right.known === null) return { isTrue, known: null };
  const leftKnown = left.known ?? newBitmap(rowCount, 1);
  const rightKnown = right.known ?? newBitmap(rowCount, 1);
  const known = new Uint8Array(isTrue.length);
  for (let at = 0; at < known.length; at++) known[at] = isTrue[at]! | (leftKnown[at]! & rightKnown[at]!);
  return { isTrue, known };
}

export function notTruth(operand: Truth, rowCount: number): Truth {
  const known = operand.known ?? newBitmap(rowCount, 1);
  const isTrue = known.map((byte, at) => byte & ~operand.isTrue[at]!);
  return { isTrue, known: operand.known };
}

/** Rows known in both; null: all. */
export function bothKnown(left: Uint8Array | null, right: Uint8Array | null): Uint8Array | null {
  if (left === null || right === null) return left ?? right;
  return bothSet(left, right);
}

/** A loop, as `map` calls back for each byte: that takes longer than many a condition. */
function bothSet(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length);
  for (let at = 0; at < both.length; at++) both[at] = left[at]! & right[at]!;
  return both;
}
