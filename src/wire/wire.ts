import type { Packet } from '../util/packet.ts';

/**
 * Calls between our own nodes: framed and multiplexed over TCP or a Unix socket, or direct in one process.
 * A call carries its remaining time, can be cancelled, and carries the trace context. Typed errors arrive as thrown.
 *
 * Errors of the wire itself: `CONNECTION_LOST` (the answer will never come; it may have been executed),
 * `UNREACHABLE` (no connection could be made; it was not executed),
 * `DEADLINE_EXCEEDED`, `CANCELLED`, `OVERLOADED` (a bound of calls or bytes was reached), `NOT_SUPPORTED` (unknown method,
 * thrown by the handler), `PARAMETER_TOO_LARGE` (a packet above the largest frame), `SERVICE_NOT_READY` (the server drains),
 * `CONFIG_INVALID` (an address that cannot be used).
 *
 * Parts are never copied where that can be avoided: the bytes of a request must not change until its call settles, those
 * of an answer not after the handler returned them. Parts received stay valid but may hold the memory of what arrived with
 * them: who keeps small ones for long copies them.
 */
export interface Wire {
  /** Serves `handler` at `address`; `tcp://127.0.0.1:0` picks a port. Resolves when it accepts. */
  listen(address: string, handler: WireHandler): Promise<WireServer>;
  /** A peer to call. Connects when first used, reconnects by itself, notices silence by heartbeats. Cheap to keep. */
  connect(address: string): WirePeer;
}

export interface WireServer extends AsyncDisposable {
  /** The address to give to others, with the real port. */
  readonly address: string;
  /** Refuses new calls with `SERVICE_NOT_READY` and resolves when those under way have ended or `timeoutMs` passed. */
  drain(timeoutMs: number): Promise<void>;
}

export type WireHandler = (method: string, request: Packet, context: CallContext) => Promise<Packet>;

export interface WirePeer extends AsyncDisposable {
  readonly address: string;
  call(method: string, request: Packet, options: CallOptions): Promise<Packet>;
}

/** W3C trace context fields, e.g. `{ traceparent: '00-…' }`. */
export type TraceCarrier = Readonly<Record<string, string>>;

export interface CallOptions {
  /** Time for the whole call, above 0. */
  readonly timeoutMs: number;
  /** Aborting rejects the call at once, with the signal's reason when that is a `MishardsError`, else `CANCELLED`. */
  readonly signal?: AbortSignal;
  readonly trace?: TraceCarrier;
}

export interface CallContext {
  /** Milliseconds left when the call arrived. */
  readonly timeoutMs: number;
  /** Aborts when the caller cancels, its connection breaks or the time is up. */
  readonly signal: AbortSignal;
  readonly trace: TraceCarrier;
}
