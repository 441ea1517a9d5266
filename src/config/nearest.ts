/** The candidate with the fewest edits to `text`, if it is at most a third of its length away. */
export function nearest(text: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = Math.ceil(text.length / 3) + 1;
  for (const candidate of candidates) {
    const edits = editDistance(text, candidate);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substituted, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
