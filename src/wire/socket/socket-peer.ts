import { MishardsError } from '../../errors/index.ts';
import { NumberTable } from '../../util/number-table.ts';
import type { Packet } from '../../util/packet.ts';
import { decodePacket } from '../../util/packet.ts';
import { PendingCall } from '../pending-call.ts';
import type { WireLimits } from '../wire-limits.ts';
import type { CallOptions, WirePeer } from '../wire.ts';
import { decodeError, encodeRequest } from './call-codec.ts';
import { FrameChannel, bodyBytesOf, type ChannelEvents, type WireProtocolError } from './frame-channel.ts';
import type { EncodedBody } from './frame-outbox.ts';
import { HEADER_BYTES, violation, type Frame, type Hello } from './frame.ts';
import { ReconnectPolicy } from './reconnect-policy.ts';
import { openSocket, parseSocketAddress, type SocketAddress } from './socket-address.ts';
import type { SocketHost } from './socket-server.ts';

interface OutgoingCall {
  readonly id: number;
  readonly method: string;
  readonly pending: PendingCall;
  readonly body: EncodedBody;
  readonly frameBytes: number;
  readonly deadlineMs: number;
}

/** The caller's side: one connection, opened when first needed and again after a loss, shared by all calls. */
export class SocketPeer implements WirePeer, ChannelEvents {
  readonly address: string;
  readonly onProtocolError: (event: WireProtocolError) => void;
  readonly #target: SocketAddress;
  readonly #host: SocketHost;
  readonly #limits: WireLimits;
  readonly #reconnect: ReconnectPolicy;
  readonly #calls = new NumberTable<OutgoingCall>();
  #channel: FrameChannel | null = null;
  #hello: Hello | null = null;
  /** Bytes of calls that wait for the connection. */
  #waitingBytes = 0;
  #lastId = 0;
  #goingAway = false;
  #disposed = false;

  constructor(
    address: string,
    host: SocketHost,
    limits: WireLimits,
    onProtocolError: (event: WireProtocolError) => void,
  ) {
    this.address = address;
    this.onProtocolError = onProtocolError;
    this.#target = parseSocketAddress(address);
    this.#host = host;
    this.#limits = limits;
    this.#reconnect = new ReconnectPolicy(host, limits);
  }

  async call(method: string, request: Packet, options: CallOptions): Promise<Packet> {
    this.#checkUsable(method);
    const body = encodeRequest(method, options.trace, request);
    const frameBytes = HEADER_BYTES + bodyBytesOf(body);
    this.#checkBounds(method, frameBytes);
    const id = this.#freeId();
    const pending = new PendingCall(method, options, this.#host.timers, () => this.#giveUp(id));
    const deadlineMs = this.#host.clock.monotonicMs() + pending.timeoutMs;
    const call = { id, method, pending, body, frameBytes, deadlineMs };
    this.#calls.set(id, call);
    if (this.#hello === null) this.#waitingBytes += frameBytes;
    else this.#send(call, pending.timeoutMs);
    this.#channel ??= this.#dial();
    return pending.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const channel = this.#channel;
    channel?.close(new MishardsError('CONNECTION_LOST', `the peer ${this.address} was closed`));
    await channel?.closed;
  }

  onOpen(hello: Hello): void {
    this.#hello = hello;
    this.#reconnect.succeeded();
    this.#waitingBytes = 0;
    const nowMs = this.#host.clock.monotonicMs();
    for (const call of this.#calls.values()) this.#send(call, call.deadlineMs - nowMs);
  }

  onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'response':
        return this.#answered(frame.callId, decodePacket(frame.body));
      case 'error':
        return this.#answered(frame.callId, decodeError(frame));
      case 'goaway':
        this.#goingAway = true;
        return;
      case 'heartbeat':
        return;
      case 'request':
      case 'cancel':
        throw violation(`a server sent a frame ${frame.kind}`);
    }
  }

  onFlushed(): void {}

  onClosed(reason: MishardsError, wasOpen: boolean): void {
    this.#channel = null;
    this.#hello = null;
    this.#goingAway = false;
    this.#waitingBytes = 0;
    if (!wasOpen) this.#reconnect.failed();
    const calls = this.#calls.values();
    this.#calls.clear();
    const failure = wasOpen ? reason : unreachable(reason.message, reason);
    for (const call of calls) call.pending.fail(failure);
  }

  #checkUsable(method: string): void {
    if (this.#disposed) throw new MishardsError('CONNECTION_LOST', `the peer ${this.address} was closed`);
    if (this.#goingAway) {
      throw new MishardsError('SERVICE_NOT_READY', `${this.address} is stopping and takes no new calls`);
    }
    if (this.#channel !== null) return;
    const waitMs = this.#reconnect.waitMs();
    if (waitMs <= 0) return;
    const attempt = `the next attempt is in ${Math.ceil(waitMs)} ms`;
    throw unreachable(`${method} is refused: ${this.address} could not be reached; ${attempt}`);
  }

  #checkBounds(method: string, frameBytes: number): void {
    const bytesMax = Math.min(this.#limits.frameBytesMax, this.#hello?.frameBytesMax ?? Infinity);
    if (frameBytes > bytesMax) throw tooLarge(method, frameBytes, bytesMax);
    const callsMax = Math.min(this.#limits.callsMax, this.#hello?.callsMax ?? Infinity);
    if (this.#calls.size >= callsMax) {
      throw new MishardsError(
        'OVERLOADED',
        `${method} is refused: ${this.#calls.size} calls to ${this.address} are under way, the limit wire.calls_max`,
      );
    }
    const queued = this.#waitingBytes + (this.#channel?.queuedBytes ?? 0);
    if (queued === 0 || queued + frameBytes <= this.#limits.queuedBytesMax) return;
    throw new MishardsError(
      'OVERLOADED',
      `${method} is refused: ${queued} bytes wait to be sent to ${this.address}, ` +
        `the limit wire.queued_bytes_max is ${this.#limits.queuedBytesMax}`,
    );
  }

  /** Ids wrap around; those still under way are passed over. */
  #freeId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#calls.get(this.#lastId) !== undefined);
    return this.#lastId;
  }

  #dial(): FrameChannel {
    return new FrameChannel(openSocket(this.#target), this.address, this.#limits, this.#host.timers, this);
  }

  #send(call: OutgoingCall, remainingMs: number): void {
    const bytesMax = this.#hello?.frameBytesMax ?? Infinity;
    if (call.frameBytes > bytesMax) {
      this.#calls.take(call.id);
      call.pending.fail(tooLarge(call.method, call.frameBytes, bytesMax));
      return;
    }
    const timeoutMs = Math.max(1, Math.ceil(remainingMs));
    this.#channel?.send('request', call.id, timeoutMs, call.body);
  }

  #giveUp(id: number): void {
    const call = this.#calls.take(id);
    if (call === undefined) return;
    if (this.#hello === null) this.#waitingBytes -= call.frameBytes;
    else this.#channel?.send('cancel', id, 0, null);
  }

  /** Answers to calls that were given up meanwhile are dropped. */
  #answered(id: number, outcome: Packet | MishardsError): void {
    const call = this.#calls.take(id);
    if (call === undefined) return;
    if (outcome instanceof MishardsError) call.pending.fail(outcome);
    else call.pending.answer(outcome);
  }
}

function tooLarge(method: string, bytes: number, limit: number): MishardsError {
  return new MishardsError(
    'PARAMETER_TOO_LARGE',
    `the request ${method} has ${bytes} bytes, above the limit ${limit} of wire.frame_bytes_max; send fewer rows at once`,
  );
}

/** No connection: the call was certainly not executed. */
function unreachable(message: string, cause?: unknown): MishardsError {
  return new MishardsError('UNREACHABLE', message, { cause });
}
