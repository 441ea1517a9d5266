/** Places along a side of the square that the curve fills. */
export const HILBERT_SIDE = 2 ** 16;

/**
 * How far along Hilbert's curve a place of the square is, in 32 bits: places that are near on the curve are near in the plane.
 * `x` and `y` are whole numbers below `HILBERT_SIDE`.
 */
export function hilbertCode(x: number, y: number): number {
  let code = 0;
  for (let bit = HILBERT_SIDE >>> 1; bit > 0; bit >>>= 1) {
    const isRight = (x & bit) !== 0;
    const isUpper = (y & bit) !== 0;
    const quarter = isUpper ? (isRight ? 2 : 1) : isRight ? 3 : 0;
    code = (code << 2) | quarter;
    if (isUpper) continue;
    // The curve turns in the lower quarters: along the diagonal on the left, along the other one on the right.
    const turned = isRight ? HILBERT_SIDE - 1 - y : y;
    y = isRight ? HILBERT_SIDE - 1 - x : x;
    x = turned;
  }
  return code >>> 0;
}
