/** Time, injected: the only source of it. `node/` reads the machine's, `simulated/` is driven by tests. */
export interface Clock {
  /** Wall-clock milliseconds since the Unix epoch. May jump; never use it for durations. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start, with a fraction; never goes back. */
  monotonicMs(): number;
}
