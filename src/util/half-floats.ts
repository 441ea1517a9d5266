/*
 * Floats of 16 bits, as their bits: IEEE 754 half precision (float16) and the upper half of a 32-bit float (bfloat16). Both
 * roundings are to the nearest, ties to even.
 */

export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return new Uint16Array(Float16Array.from(values).buffer);
}

export function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(values, (value, index) => {
    // Rounding could carry the bits of a NaN over into those of a zero.
    if (Number.isNaN(value)) return 0x7fc0;
    const word = bits[index]!;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}

const FLOAT16_EXPONENT = 0x7c00;
const BFLOAT16_EXPONENT = 0x7f80;

/** Index of the first value that is infinite or not a number; -1 when all are finite. */
export function firstNotFinite(bits: Uint16Array, format: 'float16' | 'bfloat16'): number {
  const exponent = format === 'float16' ? FLOAT16_EXPONENT : BFLOAT16_EXPONENT;
  for (let index = 0; index < bits.length; index++) {
    if ((bits[index]! & exponent) === exponent) return index;
  }
  return -1;
}
