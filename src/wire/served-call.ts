import type { MishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import { deadlineError } from './pending-call.ts';
import type { CallContext, TraceCarrier } from './wire.ts';

/**
 * The server's side of a call. Signal and deadline timer come into being when the handler first asks for the signal:
 * most handlers of short calls never do, and both cost more than the rest of the call's bookkeeping.
 */
export class ServedCall {
  readonly context: CallContext;
  readonly #method: string;
  readonly #timeoutMs: number;
  readonly #host: Pick<Host, 'clock' | 'timers'> | null;
  readonly #arrivedMs: number;
  #controller: AbortController | null = null;
  #timer: Disposable | null = null;
  #reason: MishardsError | null = null;
  #ended = false;

  /** Without `host` it keeps no deadline of its own: the caller, in the same process, abandons it then. */
  constructor(
    method: string,
    timeoutMs: number,
    trace: TraceCarrier,
    host: Pick<Host, 'clock' | 'timers'> | null,
  ) {
    this.#method = method;
    this.#timeoutMs = timeoutMs;
    this.#host = host;
    this.#arrivedMs = host?.clock.monotonicMs() ?? 0;
    const signal = (): AbortSignal => this.#signal();
    // An own property, so that a handler may spread the context.
    this.context = {
      timeoutMs,
      trace,
      get signal() {
        return signal();
      },
    };
  }

  get abandoned(): boolean {
    return this.#reason !== null;
  }

  /** The caller no longer waits: the signal aborts and the answer will not be sent. */
  abandon(reason: MishardsError): void {
    if (this.#ended || this.#reason !== null) return;
    this.#reason = reason;
    this.#timer?.[Symbol.dispose]();
    this.#controller?.abort(reason);
  }

  end(): void {
    this.#ended = true;
    this.#timer?.[Symbol.dispose]();
  }

  #signal(): AbortSignal {
    if (this.#controller !== null) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    if (this.#reason !== null) controller.abort(this.#reason);
    else if (!this.#ended && this.#host !== null) this.#armDeadline(controller, this.#host);
    return controller.signal;
  }

  #armDeadline(controller: AbortController, host: Pick<Host, 'clock' | 'timers'>): void {
    const passedMs = host.clock.monotonicMs() - this.#arrivedMs;
    const expire = (): void => controller.abort(deadlineError(this.#method, this.#timeoutMs));
    if (passedMs >= this.#timeoutMs) expire();
    else this.#timer = host.timers.after(this.#timeoutMs - passedMs, expire);
  }
}
