import type { Predicate } from '../plan.ts';

/**
 * Tells which rows of a segment satisfy a condition on one field without reading the field's column. Its answers are those of
 * a scan, also of the rows that have no value.
 */
export interface FieldIndex {
  readonly sizeBytes: number;
  /** Looks the condition's values up; null when a scan has to tell. Nothing is done for the rows yet. */
  matches(predicate: Predicate): IndexMatches | null;
}

/** The rows of a condition, found but not yet collected. */
export interface IndexMatches {
  /** Rows that match; for a condition on arrays or with a `rest`, at most so many. */
  readonly count: number;
  /** What collecting them costs, in rows visited. */
  readonly cost: number;
  /** Bitmap of the rows that match. */
  collect(): Uint8Array;
  /** Bitmap of the rows where the condition is known; null = all. */
  readonly known: Uint8Array | null;
  /** What the rows found must still pass, and those not found cannot; absent = they all match. */
  readonly rest?: Predicate;
}

/** What a source of rows has indexes for. */
export interface IndexSource {
  /** The answer of an index; null when none has one. */
  matches(predicate: Predicate): IndexMatches | null;
}
