import { MishardsError } from '../errors/index.ts';
import type { Timers } from '../host/index.ts';
import { assert } from '../util/assert.ts';
import type { Packet } from '../util/packet.ts';
import type { CallOptions } from './wire.ts';

/** Longest delay a timer of the platform takes; longer deadlines end there, after 24 days. */
const TIMEOUT_MS_MAX = 0x7fff_ffff;

/** The caller's side of a call: settles once, by the answer, the deadline or the caller's signal. */
export class PendingCall {
  readonly promise: Promise<Packet>;
  readonly timeoutMs: number;
  #resolve!: (answer: Packet) => void;
  #reject!: (reason: MishardsError) => void;
  readonly #timer: Disposable;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;

  /**
   * `onGivenUp` runs when deadline or signal settle it, before the promise rejects.
   * Throws at once when the time is already up or the signal already aborted.
   */
  constructor(
    method: string,
    options: CallOptions,
    timers: Timers,
    onGivenUp: (reason: MishardsError) => void,
  ) {
    const { timeoutMs, signal } = options;
    assert(!Number.isNaN(timeoutMs), `the timeout of ${method} is not a number`);
    if (timeoutMs <= 0) throw deadlineError(method, timeoutMs);
    if (signal?.aborted === true) throw cancelError(method, signal);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.timeoutMs = Math.min(timeoutMs, TIMEOUT_MS_MAX);
    this.#timer = timers.after(this.timeoutMs, () => {
      const reason = deadlineError(method, timeoutMs);
      onGivenUp(reason);
      this.fail(reason);
    });
    this.#signal = signal;
    if (signal === undefined) return;
    this.#onAbort = () => {
      const reason = cancelError(method, signal);
      onGivenUp(reason);
      this.fail(reason);
    };
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  answer(packet: Packet): void {
    this.#release();
    this.#resolve(packet);
  }

  fail(reason: MishardsError): void {
    this.#release();
    this.#reject(reason);
  }

  #release(): void {
    this.#timer[Symbol.dispose]();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

export function deadlineError(method: string, timeoutMs: number): MishardsError {
  return new MishardsError('DEADLINE_EXCEEDED', `${method} did not end within its ${timeoutMs} ms`);
}

/** A signal aborted for a typed reason passes it on: a deadline above stays a deadline below. */
function cancelError(method: string, signal: AbortSignal): MishardsError {
  if (signal.reason instanceof MishardsError) return signal.reason;
  return new MishardsError('CANCELLED', `${method} was cancelled by its caller`, { cause: signal.reason });
}
