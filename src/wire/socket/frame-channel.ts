import type { Socket } from 'node:net';
import { MishardsError, isErrorWithCode } from '../../errors/index.ts';
import type { Timers } from '../../host/index.ts';
import type { WireLimits } from '../wire-limits.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { FrameOutbox, type EncodedBody } from './frame-outbox.ts';
import {
  HELLO_BYTES,
  align8,
  decodeHello,
  encodeHello,
  type Frame,
  type FrameKind,
  type Hello,
} from './frame.ts';

/** Beats of the other side that may stay out before it counts as lost. */
const MISSED_BEATS_MAX = 3;

/** Malformed bytes of another process; its connection has been closed. */
export interface WireProtocolError {
  readonly remote: string;
  readonly error: MishardsError;
}

export interface ChannelEvents {
  onOpen(hello: Hello): void;
  /** May throw `CORRUPT_DATA`, which closes the channel. */
  onFrame(frame: Frame): void;
  /** Bytes went to the kernel. */
  onFlushed(): void;
  /** Once, whoever closed it; `wasOpen` tells whether the handshake had succeeded. */
  onClosed(reason: MishardsError, wasOpen: boolean): void;
  onProtocolError(event: WireProtocolError): void;
}

/** One connection as frames: handshake, signs of life, pausing, and exactly one end. Used by both sides. */
export class FrameChannel {
  readonly remote: string;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #events: ChannelEvents;
  readonly #limits: WireLimits;
  readonly #timers: Timers;
  readonly #outbox: FrameOutbox;
  readonly #decoder: FrameDecoder;
  readonly #handshakeTimer: Disposable;
  readonly #beats = new DisposableStack();
  readonly #greeting = Buffer.alloc(HELLO_BYTES);
  #greetingFilled = 0;
  #hello: Hello | null = null;
  #isClosed = false;
  #paused = false;
  #pumping = false;
  #sent = false;
  #missedBeats = 0;

  constructor(socket: Socket, remote: string, limits: WireLimits, timers: Timers, events: ChannelEvents) {
    this.remote = remote;
    this.#socket = socket;
    this.#events = events;
    this.#limits = limits;
    this.#timers = timers;
    this.#decoder = new FrameDecoder(limits.frameBytesMax);
    this.#outbox = new FrameOutbox(socket, () => {
      if (!this.#isClosed) events.onFlushed();
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.close(this.#lost(error.message, error)));
    socket.on('close', () => this.close(this.#lost('the other side closed the connection')));
    this.#handshakeTimer = timers.after(limits.connectTimeoutMs, () => {
      this.close(this.#lost(`no connection within ${limits.connectTimeoutMs} ms`));
    });
    this.#outbox.bytes(encodeHello(limits));
  }

  get isOpen(): boolean {
    return this.#hello !== null && !this.#isClosed;
  }

  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  send(kind: FrameKind, callId: number, timeoutMs: number, body: EncodedBody | null): void {
    if (this.#isClosed) return;
    this.#sent = true;
    const bodyBytes = body === null ? 0 : bodyBytesOf(body);
    this.#outbox.frame({ kind, bodyBytes, metaBytes: body?.metaBytes ?? 0, callId, timeoutMs }, body);
  }

  /** Stops reading: the other side is held back by the flow control of the connection. */
  set paused(paused: boolean) {
    if (this.#paused === paused || this.#isClosed) return;
    this.#paused = paused;
    this.#missedBeats = 0;
    if (paused) this.#socket.pause();
    else if (!this.#pumping) this.#pump();
    if (!this.#paused) this.#socket.resume();
  }

  close(reason: MishardsError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handshakeTimer[Symbol.dispose]();
    this.#beats.dispose();
    this.#socket.destroy();
    this.#events.onClosed(reason, this.#hello !== null);
  }

  #onData(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#missedBeats = 0;
    const rest = this.#hello === null ? this.#greet(chunk) : chunk;
    if (rest === null) return;
    this.#decoder.feed(rest);
    this.#pump();
  }

  /** Gathers the hello and returns what follows it. */
  #greet(chunk: Buffer): Buffer | null {
    const copied = chunk.copy(this.#greeting, this.#greetingFilled);
    this.#greetingFilled += copied;
    if (this.#greetingFilled < HELLO_BYTES) return null;
    try {
      this.#hello = decodeHello(this.#greeting);
    } catch (error) {
      this.#violate(error);
      return null;
    }
    this.#handshakeTimer[Symbol.dispose]();
    this.#startBeating(this.#hello);
    this.#events.onOpen(this.#hello);
    return this.#isClosed ? null : chunk.subarray(copied);
  }

  #pump(): void {
    this.#pumping = true;
    try {
      while (!this.#paused && !this.#isClosed) {
        const frame = this.#decoder.next();
        if (frame === null) break;
        this.#events.onFrame(frame);
      }
    } catch (error) {
      this.#violate(error);
    } finally {
      this.#pumping = false;
    }
  }

  /** Only damage from outside ends here; a defect of ours goes on up. */
  #violate(error: unknown): void {
    if (!isErrorWithCode(error, 'CORRUPT_DATA')) throw error;
    this.#events.onProtocolError({ remote: this.remote, error });
    this.close(this.#lost(error.message, error));
  }

  /** Beats are counted, not timed: after a pause of this process only one is missed, not all of the pause. */
  #startBeating(hello: Hello): void {
    const beat = this.#timers.every(this.#limits.heartbeatMs, () => {
      if (!this.#sent && this.#outbox.queuedBytes === 0) this.send('heartbeat', 0, 0, null);
      this.#sent = false;
    });
    const watch = this.#timers.every(hello.heartbeatMs, () => {
      if (this.#paused || this.#missedBeats++ < MISSED_BEATS_MAX) return;
      this.close(this.#lost(`silent for ${MISSED_BEATS_MAX} heartbeats of ${hello.heartbeatMs} ms`));
    });
    this.#beats.use(beat);
    this.#beats.use(watch);
  }

  #lost(why: string, cause?: unknown): MishardsError {
    const verb = this.#hello === null ? 'cannot connect to' : 'lost the connection to';
    return new MishardsError('CONNECTION_LOST', `${verb} ${this.remote}: ${why}`, { cause });
  }
}

export function bodyBytesOf(body: EncodedBody): number {
  return align8(body.metaBytes) + body.layout.sizeBytes;
}
