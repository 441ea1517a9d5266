import { newBitmap, setBit } from '../../columns/bitmap.ts';
import type { BoxTree } from '../../geometry/index.ts';
import type { Predicate } from '../plan.ts';
import type { FieldIndex, IndexMatches } from './field-index.ts';
import { nullMatches } from './posting-index.ts';

/** Boxes found at most: some milliseconds. Beyond, or where they are more than half of the rows, the scan takes turns. */
const FOUND_MAX = 2 ** 20;
const PART_MAX = 1 / 2;

/**
 * The bounds of a field's geometries. Which rows may stand in a relation or be near enough is found by them; what is found is
 * still asked, as bounds are all there is here.
 */
export class GeometryIndex implements FieldIndex {
  readonly rowCount: number;
  /** Of each box of the tree. Geometries that are null or empty have none. */
  readonly rows: Uint32Array;
  readonly tree: BoxTree;
  readonly known: Uint8Array | null;
  readonly #fieldId: number;

  constructor(
    fieldId: number,
    parts: {
      readonly rowCount: number;
      readonly rows: Uint32Array;
      readonly tree: BoxTree;
      readonly known: Uint8Array | null;
    },
  ) {
    this.#fieldId = fieldId;
    this.rowCount = parts.rowCount;
    this.rows = parts.rows;
    this.tree = parts.tree;
    this.known = parts.known;
  }

  get sizeBytes(): number {
    return this.rows.byteLength + this.tree.sizeBytes + (this.known?.byteLength ?? 0);
  }

  matches(predicate: Predicate): IndexMatches | null {
    if (predicate.kind === 'isNull' && predicate.fieldId === this.#fieldId)
      return nullMatches(this.known, this.rowCount);
    if (predicate.kind !== 'geometry' || predicate.fieldId !== this.#fieldId) return null;
    const { mayPass } = predicate.test;
    if (mayPass === null) return null;
    const found = this.tree.search(mayPass, Math.min(FOUND_MAX, Math.floor(this.rowCount * PART_MAX)));
    if (found === null) return null;
    const collect = (): Uint8Array => {
      const bitmap = newBitmap(this.rowCount, 0);
      for (let at = 0; at < found.length; at++) setBit(bitmap, this.rows[found[at]!]!);
      return bitmap;
    };
    return { count: found.length, cost: found.length, known: this.known, collect, rest: predicate };
  }
}
