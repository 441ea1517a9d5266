/** Bounds on one filter. They keep a request from exhausting the stack or the memory of the process that parses it. */
export interface FilterLimits {
  /** UTF-16 units of text. */
  readonly lengthMax: number;
  /** How deep parentheses, operators and lists nest. Chains of `and` or of `or` count as one level. */
  readonly depthMax: number;
  /** Operators, names and constants, each element of a list included. */
  readonly nodesMax: number;
}

/**
 * Lengths leave room for `pk in [...]` of 200 000 64-bit keys; the depth is above what people or generators write and
 * far below what the stack holds.
 */
export const DEFAULT_FILTER_LIMITS: FilterLimits = {
  lengthMax: 8 * 1024 * 1024,
  depthMax: 200,
  nodesMax: 500_000,
};
