/** One form for each number, so that a set finds it: whole numbers as doubles where safe, else as bigint. */
export function canonicalNumber(value: bigint | number): bigint | number {
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : value;
}
