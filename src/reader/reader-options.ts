/** Limits and times of a reader. Every bound that is reached shows itself as the error named here. */
export interface ReaderOptions {
  /** Sub-requests that run at the same time; more are refused with `OVERLOADED`. */
  readonly requestsMax: number;
  /** Bytes of opened segments and fresh rows. A segment that does not fit is refused with `MEMORY_LIMIT`. */
  readonly memoryBytesMax: number;
  /** Segments that are fetched and opened at the same time. */
  readonly loadsMax: number;
  /** How long a failed background load rests before it is tried again. */
  readonly loadRetryMs: number;
  /** How long rows stay among the fresh ones after a checkpoint put them into segments, for searches planned before that. */
  readonly freshGraceMs: number;
  /** Above this many fresh bytes in one channel the rows that are in segments are dropped before their grace ends. */
  readonly freshBytesMax: number;
  /** How long a segment the catalog no longer has is kept for searches planned before that. */
  readonly supersededGraceMs: number;
  /** How long a segment whose place is elsewhere stays open after its last use. */
  readonly unloadGraceMs: number;
  /** How long a sub-request waits for the catalog to show what its plan names; then `STALE_PLAN`. */
  readonly planLagMaxMs: number;
  /** How long the writer may hold an empty answer. Below the usual bound of bounded consistency, so that idle channels count as up to date. */
  readonly followWaitMs: number;
  /** How much longer an answer may take before the writer counts as away. */
  readonly followAnswerMs: number;
  /** Bytes of entries asked for at once, from the writer and from the log; they are applied in one go. */
  readonly followBytesMax: number;
  /** How often the log is read while the writer is away. */
  readonly logPollMs: number;
  /** How long a writer that failed is left alone, unless the catalog names another. */
  readonly writerRetryMs: number;
  /** First and longest rest before an entry that could not be applied is tried again; it doubles in between. */
  readonly applyRetryMs: number;
  readonly applyRetryMaxMs: number;
  /** Compiled filters kept. */
  readonly filtersMax: number;
  /** Bytes of filter results kept, on segments and on fresh rows. */
  readonly filterBitmapBytesMax: number;
  /** Bytes of delete objects kept, because every segment of a channel needs them when it opens. */
  readonly deltaCacheBytesMax: number;
  /** How often graces are looked at. */
  readonly sweepIntervalMs: number;
}

export const DEFAULT_READER_OPTIONS: ReaderOptions = Object.freeze({
  requestsMax: 1_024,
  memoryBytesMax: 16 * 2 ** 30,
  loadsMax: 4,
  loadRetryMs: 2_000,
  freshGraceMs: 60_000,
  freshBytesMax: 512 * 2 ** 20,
  supersededGraceMs: 60_000,
  unloadGraceMs: 60_000,
  planLagMaxMs: 3_000,
  followWaitMs: 2_000,
  followAnswerMs: 3_000,
  followBytesMax: 2 ** 20,
  logPollMs: 200,
  writerRetryMs: 1_000,
  applyRetryMs: 200,
  applyRetryMaxMs: 30_000,
  filtersMax: 1_024,
  filterBitmapBytesMax: 64 * 2 ** 20,
  deltaCacheBytesMax: 64 * 2 ** 20,
  sweepIntervalMs: 1_000,
});
