/** Bounds of every connection. All are configuration keys under `wire.`. */
export interface WireLimits {
  /** Largest encoded frame, sent or received. */
  readonly frameBytesMax: number;
  /** Calls in flight on one connection; the caller refuses more, the server stops reading. */
  readonly callsMax: number;
  /** Request bytes of the calls a server works on for one connection; above it the server stops reading. */
  readonly servedBytesMax: number;
  /** Bytes waiting to be sent; above it a caller refuses calls and a server stops reading requests. */
  readonly queuedBytesMax: number;
  /** Connections one server accepts; more are closed at once. */
  readonly connectionsMax: number;
  /** How often a sign of life is sent when there is nothing else to send; three missed ones are a lost connection. */
  readonly heartbeatMs: number;
  /** Time to connect and shake hands. */
  readonly connectTimeoutMs: number;
  /** Wait after the first failed attempt to connect; doubles with each failure, with jitter, up to the maximum. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_WIRE_LIMITS: WireLimits = Object.freeze({
  // Four times a client's largest request (64 MiB): the answer of a large query to one proxy still fits.
  frameBytesMax: 256 * MEBIBYTE,
  // More than a proxy core can keep busy, few enough that their bookkeeping stays below a few megabytes.
  callsMax: 4096,
  // Two of the largest frames: one is worked on while the next arrives.
  servedBytesMax: 512 * MEBIBYTE,
  queuedBytesMax: 512 * MEBIBYTE,
  // One connection a peer: far above the number of nodes of a cluster.
  connectionsMax: 1024,
  // A silent node is noticed within 4 s; a pause of the event loop under 3 s is not taken for silence.
  heartbeatMs: 1000,
  // Connecting inside a data centre takes under 10 ms; a lost first packet is resent after 1 s.
  connectTimeoutMs: 2000,
  // A node that came back is in use again within a second.
  reconnectMinMs: 25,
  reconnectMaxMs: 1000,
});
