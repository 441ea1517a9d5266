import type { Turns } from '../../host/index.ts';

/** Entries sorted in one go, and merged between two looks at the clock: well below a millisecond. */
const STEPS = 2_048;

/** Merge sort; of equal entries the lower number comes first. `entries` is used as room and holds nothing useful afterwards. */
export async function sortInTurns(
  entries: Uint32Array,
  compare: (left: number, right: number) => number,
  turns: Turns,
): Promise<Uint32Array> {
  const order = (left: number, right: number): number => compare(left, right) || left - right;
  for (let from = 0; from < entries.length; from += STEPS) {
    entries.subarray(from, from + STEPS).sort(order);
    if (turns.isOver) await turns.next();
  }
  let source = entries;
  let target: Uint32Array = new Uint32Array(entries.length);
  for (let width = STEPS; width < entries.length; width *= 2) {
    for (let from = 0; from < source.length; from += 2 * width) {
      const middle = Math.min(from + width, source.length);
      await merge(source, from, middle, Math.min(middle + width, source.length), target, order, turns);
    }
    [source, target] = [target, source];
  }
  return source;
}

/** Merges the sorted [from, middle) and [middle, to) into the same places of `target`. */
async function merge(
  source: Uint32Array,
  from: number,
  middle: number,
  to: number,
  target: Uint32Array,
  order: (left: number, right: number) => number,
  turns: Turns,
): Promise<void> {
  let [left, right] = [from, middle];
  for (let start = from; start < to; start += STEPS) {
    const end = Math.min(start + STEPS, to);
    for (let at = start; at < end; at++) {
      const takesLeft = right >= to || (left < middle && order(source[left]!, source[right]!) <= 0);
      target[at] = source[takesLeft ? left++ : right++]!;
    }
    if (turns.isOver) await turns.next();
  }
}
