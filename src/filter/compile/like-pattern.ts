const encoder = new TextEncoder();
const ANY_CHARACTER = '_';
const ANY_TEXT = '%';

/** Bytes to find, or (null) exactly one character, whatever its length in UTF-8. */
export type LikePart = Uint8Array | null;

/** Runs of parts with any text between them. The first is held to the start of the value, the last to its end. */
export interface LikePattern {
  readonly runs: readonly (readonly LikePart[])[];
}

/** `%` is any text, `_` one character, `\` makes the next character plain. A lone `\` at the end is itself. */
export function compileLike(pattern: string): LikePattern {
  const runs: LikePart[][] = [[]];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') runs.at(-1)!.push(encoder.encode(plain));
    plain = '';
  };
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!;
    if (character === ANY_TEXT) {
      flush();
      runs.push([]);
    } else if (character === ANY_CHARACTER) {
      flush();
      runs.at(-1)!.push(null);
    } else if (character === '\\' && index + 1 < characters.length) {
      plain += characters[++index]!;
    } else {
      plain += character;
    }
  }
  flush();
  return { runs: runs.filter((run, index) => run.length > 0 || index === 0 || index === runs.length - 1) };
}

/** Whether the UTF-8 value in `bytes[start .. end)` fits the pattern. Each run is placed as early as it fits, which is enough. */
export function matchesLike(pattern: LikePattern, bytes: Uint8Array, start: number, end: number): boolean {
  const { runs } = pattern;
  const last = runs.length - 1;
  let at = matchRun(runs[0]!, bytes, start, end);
  if (last === 0 || at < 0) return at === end;
  for (let index = 1; index < last; index++) {
    at = findRun(runs[index]!, bytes, at, end);
    if (at < 0) return false;
  }
  const tail = runs[last]!;
  const tailStart = startOfTail(tail, bytes, at, end);
  return tailStart >= at && matchRun(tail, bytes, tailStart, end) === end;
}

/** The offset after the run when it stands at `at`, else -1. */
function matchRun(run: readonly LikePart[], bytes: Uint8Array, at: number, end: number): number {
  let offset = at;
  for (let place = 0; place < run.length; place++) {
    const part = run[place]!;
    if (part === null) {
      if (offset >= end) return -1;
      offset++;
      while (offset < end && isContinuation(bytes[offset]!)) offset++;
      continue;
    }
    if (offset + part.length > end) return -1;
    for (let index = 0; index < part.length; index++) {
      if (bytes[offset + index] !== part[index]) return -1;
    }
    offset += part.length;
  }
  return offset;
}

/** The offset after the earliest place at or after `from` where the run stands, else -1. */
function findRun(run: readonly LikePart[], bytes: Uint8Array, from: number, end: number): number {
  const [first] = run;
  // The byte a run of text begins with, which no continuation byte equals; a run of one character begins with any.
  const lead = first === null || first === undefined ? -1 : first[0]!;
  for (let at = from; at < end; at++) {
    if (lead >= 0 ? bytes[at] !== lead : isContinuation(bytes[at]!)) continue;
    const after = matchRun(run, bytes, at, end);
    if (after >= 0) return after;
  }
  return -1;
}

/** Where a run must begin to end with the value; -1 when the value is too short. */
function startOfTail(run: readonly LikePart[], bytes: Uint8Array, from: number, end: number): number {
  let offset = end;
  for (let index = run.length - 1; index >= 0; index--) {
    const part = run[index]!;
    if (part !== null) {
      offset -= part.length;
      continue;
    }
    offset--;
    while (offset > from && isContinuation(bytes[offset]!)) offset--;
  }
  return offset;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
