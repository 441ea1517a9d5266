import type { HedgingOptions } from './hedging.ts';

/** Bounds and times of a proxy. */
export interface ProxyOptions {
  /** A part of a read is sent to at most this many further readers after the first failed. */
  readonly readRetriesMax: number;
  /** A read is planned anew at most this often, when a reader has moved past its plan. */
  readonly replansMax: number;
  /** How long a read waits for the catalog to show what a reader has seen already. */
  readonly replanWaitMs: number;
  readonly hedging: HedgingOptions;
  readonly probeIntervalMs: number;
  /** How far behind Bounded consistency may be. */
  readonly boundedStalenessMs: number;
  /** How long a write or change of schema waits for a writer. */
  readonly writerWaitMs: number;
  /** Rows a query may return. */
  readonly queryRowsMax: number;
  /** Bytes of keys and fields a search or query may answer with. */
  readonly answerBytesMax: number;
}
