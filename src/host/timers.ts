/** Timers, injected. All delays are milliseconds. */
export interface Timers {
  /** Runs `callback` once after `delayMs`; the handle's `dispose` cancels it. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): Disposable;
  /** Runs `callback` every `intervalMs` until disposed. Does not keep the process alive. */
  every(intervalMs: number, callback: () => void): Disposable;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
