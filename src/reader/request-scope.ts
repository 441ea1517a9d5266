import { MishardsError } from '../errors/index.ts';
import type { Clock, Timers } from '../host/index.ts';
import type { CallOptions } from '../wire/wire.ts';

/** Made once: an error with its stack costs more than all else of a scope. */
const ENDED = new MishardsError('CANCELLED', 'the sub-request has ended');

/**
 * One sub-request's time and cancellation as a single signal. Its reason is what the caller shall be told. When the scope
 * ends the signal aborts too, so that nothing waits on for a request that failed elsewhere.
 */
export class RequestScope implements Disposable {
  readonly signal: AbortSignal;
  readonly startMs: number;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #stack = new DisposableStack();

  constructor(host: { readonly clock: Clock; readonly timers: Timers }, call: CallOptions) {
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#clock = host.clock;
    this.startMs = host.clock.monotonicMs();
    this.#deadlineMs = this.startMs + call.timeoutMs;
    const expire = (): void => controller.abort(expired(call.timeoutMs));
    if (call.timeoutMs > 0) this.#stack.use(host.timers.after(call.timeoutMs, expire));
    else expire();
    this.#follow(controller, call.signal);
    this.#stack.defer(() => controller.abort(ENDED));
  }

  get remainingMs(): number {
    return Math.max(0, this.#deadlineMs - this.#clock.monotonicMs());
  }

  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.startMs;
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #follow(controller: AbortController, outer: AbortSignal | undefined): void {
    if (outer === undefined) return;
    const cancel = (): void => {
      const cause: unknown = outer.reason;
      const isTyped = cause instanceof MishardsError;
      controller.abort(
        isTyped ? cause : new MishardsError('CANCELLED', 'the sub-request was cancelled', { cause }),
      );
    };
    if (outer.aborted) return cancel();
    outer.addEventListener('abort', cancel, { once: true });
    this.#stack.defer(() => outer.removeEventListener('abort', cancel));
  }
}

function expired(timeoutMs: number): MishardsError {
  return new MishardsError(
    'DEADLINE_EXCEEDED',
    `the sub-request was not answered within its ${timeoutMs} ms`,
  );
}
