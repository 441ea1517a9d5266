import { bitAt, bitmapBytes, countOnes } from '../../columns/bitmap.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Turns } from '../../host/index.ts';
import { bitmapStride, isDense, type PostingsParts } from './postings.ts';
import type { Terms } from './terms.ts';

/** Rows checked between two looks at the clock. */
const STEPS = 16_384;
/** Lists of rows checked between two; most are short. */
const LISTS = 512;

export interface IndexParts {
  readonly terms: Terms;
  readonly postings: PostingsParts;
  readonly known: Uint8Array | null;
}

/**
 * Refuses with `CORRUPT_DATA` what `buildIndex` would not have written: whatever passes can be read without further checks and
 * answers for rows that exist.
 */
export async function checkIndex({ terms, postings, known }: IndexParts, turns: Turns): Promise<void> {
  const { rowCount, countBefore } = postings;
  if (countBefore.length !== terms.count + 1 || countBefore[0] !== 0)
    throw corrupt(`it has ${countBefore.length} counts for ${terms.count} terms`);
  if (terms.kind === 'text') checkTexts(terms.offsets, terms.bytes);
  if (turns.isOver) await turns.next();
  if (!terms.isAscending()) throw corrupt('its terms do not ascend');
  if (known !== null) checkBitmap(known, bitmapBytes(rowCount), rowCount);
  const { denseCount, listedCount } = await checkCounts(postings, turns);
  if (postings.bitmaps.byteLength !== denseCount * bitmapStride(rowCount))
    throw corrupt(`it has ${postings.bitmaps.byteLength} bytes of bitmaps for ${denseCount} terms`);
  if (postings.lists.length !== listedCount)
    throw corrupt(`it lists ${postings.lists.length} rows instead of ${listedCount}`);
  await checkRows(postings, known, turns);
}

function checkTexts(offsets: Int32Array, bytes: Uint8Array): void {
  if (offsets[0] !== 0 || offsets.at(-1) !== bytes.byteLength)
    throw corrupt('its texts do not fill their bytes');
  for (let term = 1; term < offsets.length; term++)
    if (offsets[term]! < offsets[term - 1]!) throw corrupt(`text ${term} ends before it begins`);
}

/** Every term has rows, and those with a bitmap are those that should. */
async function checkCounts(
  { rowCount, countBefore, dense }: PostingsParts,
  turns: Turns,
): Promise<{ readonly denseCount: number; readonly listedCount: number }> {
  let [denseCount, listedCount] = [0, 0];
  for (let term = 0; term + 1 < countBefore.length; term++) {
    const count = countBefore[term + 1]! - countBefore[term]!;
    if (count < 1 || count > rowCount) throw corrupt(`term ${term} has ${count} of ${rowCount} rows`);
    if (!isDense(count, rowCount)) listedCount += count;
    else if (dense[denseCount++] !== term) throw corrupt(`term ${term} has no bitmap`);
    if (term % STEPS === 0 && turns.isOver) await turns.next();
  }
  if (denseCount !== dense.length) throw corrupt(`it has ${dense.length - denseCount} bitmaps too many`);
  return { denseCount, listedCount };
}

async function checkRows(parts: PostingsParts, known: Uint8Array | null, turns: Turns): Promise<void> {
  const { rowCount, countBefore, lists, dense, bitmaps } = parts;
  const stride = bitmapStride(rowCount);
  let [offset, next] = [0, 0];
  for (let term = 0; term + 1 < countBefore.length; term++) {
    const count = countBefore[term + 1]! - countBefore[term]!;
    if (dense[next] === term) {
      const bitmap = bitmaps.subarray(next * stride, ++next * stride);
      checkBitmap(bitmap, stride, rowCount);
      if (countOnes(bitmap) !== count) throw corrupt(`term ${term} has not ${count} rows`);
      if (known !== null && bitmap.some((byte, at) => (byte & ~(known[at] ?? 0)) !== 0))
        throw corrupt(`term ${term} has rows without a value`);
    } else {
      checkList(lists, offset, offset + count, rowCount, known);
      offset += count;
    }
    if (term % LISTS === 0 && turns.isOver) await turns.next();
  }
}

function checkList(
  lists: Uint32Array,
  from: number,
  to: number,
  rowCount: number,
  known: Uint8Array | null,
): void {
  let last = -1;
  for (let at = from; at < to; at++) {
    const row = lists[at]!;
    if (row <= last || row >= rowCount) throw corrupt(`row ${row} follows row ${last} of ${rowCount}`);
    if (known !== null && !bitAt(known, row)) throw corrupt(`row ${row} has no value`);
    last = row;
  }
}

/** Bits past the last row are 0. */
export function checkBitmap(bitmap: Uint8Array, bytes: number, rowCount: number): void {
  if (bitmap.byteLength !== bytes) throw corrupt(`a bitmap has ${bitmap.byteLength} bytes, not ${bytes}`);
  const tail = bitmap.subarray(rowCount >>> 3);
  const isClean = tail.every((byte, at) => (at === 0 ? byte >>> (rowCount & 7) === 0 : byte === 0));
  if (!isClean) throw corrupt(`a bitmap has bits beyond row ${rowCount}`);
}

export function corrupt(problem: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', `the scalar index is damaged: ${problem}`);
}
