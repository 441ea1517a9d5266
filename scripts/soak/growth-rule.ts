/** One figure of one process or directory over time. */
export interface Series {
  readonly name: string;
  /** In order of time. */
  readonly values: readonly number[];
  /** Growth up to this is not held against it. */
  readonly allowance: number;
}

export interface Growth {
  readonly name: string;
  /** Lowest value of each third. */
  readonly thirds: readonly number[];
  readonly isUnbounded: boolean;
}

const RELATIVE_ALLOWANCE = 0.25;
const WINDOWS = 3;
/** Heaps of Node grow for minutes before they are collected in full. */
const SAMPLES_PER_WINDOW = 60;

/**
 * Whether a figure goes on growing: the lowest value of each third, which garbage collection and flushes give back, rises from
 * third to third, and in all by more than a quarter and more than the allowance. null when there are too few samples to say.
 */
export function growthOf({ name, values, allowance }: Series): Growth | null {
  const width = Math.floor(values.length / WINDOWS);
  if (width < SAMPLES_PER_WINDOW) return null;
  const start = values.length - width * WINDOWS;
  const thirds = Array.from({ length: WINDOWS }, (_, index) =>
    Math.min(...values.slice(start + index * width, start + (index + 1) * width)),
  );
  const [first, middle, last] = thirds as [number, number, number];
  const rises = first < middle && middle < last;
  const isUnbounded = rises && last - first > Math.max(allowance, first * RELATIVE_ALLOWANCE);
  return { name, thirds, isUnbounded };
}
