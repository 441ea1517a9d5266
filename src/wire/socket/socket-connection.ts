import type { Socket } from 'node:net';
import { MishardsError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import { NumberTable } from '../../util/number-table.ts';
import type { Packet } from '../../util/packet.ts';
import { ServedCall } from '../served-call.ts';
import type { WireLimits } from '../wire-limits.ts';
import type { WireHandler } from '../wire.ts';
import { decodeRequest, encodeAnswer, encodeError } from './call-codec.ts';
import { FrameChannel, bodyBytesOf, type ChannelEvents, type WireProtocolError } from './frame-channel.ts';
import { HEADER_BYTES, violation, type Frame, type Hello } from './frame.ts';

export interface ConnectionOwner {
  readonly draining: boolean;
  /** A call ended or bytes were sent: the connection may have become idle. */
  onProgress(): void;
  onClosed(connection: SocketConnection): void;
  onProtocolError(event: WireProtocolError): void;
}

/** The server's side of one connection: runs the handler for each request, within the bounds. */
export class SocketConnection implements ChannelEvents {
  readonly #channel: FrameChannel;
  readonly #handler: WireHandler;
  readonly #host: Pick<Host, 'clock' | 'timers'>;
  readonly #limits: WireLimits;
  readonly #owner: ConnectionOwner;
  readonly #served = new NumberTable<ServedCall>();
  #servedBytes = 0;
  #answerBytesMax = 0;

  constructor(
    socket: Socket,
    remote: string,
    handler: WireHandler,
    host: Pick<Host, 'clock' | 'timers'>,
    limits: WireLimits,
    owner: ConnectionOwner,
  ) {
    this.#handler = handler;
    this.#host = host;
    this.#limits = limits;
    this.#owner = owner;
    this.#channel = new FrameChannel(socket, remote, limits, host.timers, this);
  }

  /** Nothing under way and every answer handed to the kernel. */
  get isIdle(): boolean {
    return this.#served.size === 0 && this.#channel.queuedBytes === 0;
  }

  get closed(): Promise<void> {
    return this.#channel.closed;
  }

  announceDrain(): void {
    if (this.#channel.isOpen) this.#channel.send('goaway', 0, 0, null);
  }

  close(reason: MishardsError): void {
    this.#channel.close(reason);
  }

  onOpen(hello: Hello): void {
    this.#answerBytesMax = Math.min(hello.frameBytesMax, this.#limits.frameBytesMax);
    if (this.#owner.draining) this.announceDrain();
  }

  onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'request':
        return this.#onRequest(frame);
      case 'cancel':
        this.#served
          .get(frame.callId)
          ?.abandon(new MishardsError('CANCELLED', 'the caller gave the call up'));
        return;
      case 'heartbeat':
        return;
      case 'response':
      case 'error':
      case 'goaway':
        throw violation(`a caller sent a frame ${frame.kind}`);
    }
  }

  onFlushed(): void {
    this.#regulate();
    this.#owner.onProgress();
  }

  onClosed(reason: MishardsError): void {
    for (const call of this.#served.values()) call.abandon(reason);
    this.#owner.onClosed(this);
  }

  onProtocolError(event: WireProtocolError): void {
    this.#owner.onProtocolError(event);
  }

  #onRequest(frame: Frame): void {
    const { callId, timeoutMs } = frame;
    if (this.#served.get(callId) !== undefined) throw violation(`call ${callId} is under way already`);
    const { method, trace, packet } = decodeRequest(frame);
    if (this.#owner.draining) {
      const refusal = new MishardsError('SERVICE_NOT_READY', 'the node is stopping and takes no new calls');
      this.#channel.send('error', callId, 0, encodeError(refusal));
      return;
    }
    const call = new ServedCall(method, timeoutMs, trace, this.#host);
    void this.#serve(call, callId, HEADER_BYTES + frame.bodyBytes, method, packet);
  }

  async #serve(call: ServedCall, id: number, bytes: number, method: string, request: Packet): Promise<void> {
    this.#served.set(id, call);
    this.#servedBytes += bytes;
    this.#regulate();
    try {
      this.#answer(call, id, await this.#handler(method, request, call.context));
    } catch (error) {
      if (!call.abandoned) this.#channel.send('error', id, 0, encodeError(error));
    }
    call.end();
    this.#served.take(id);
    this.#servedBytes -= bytes;
    this.#regulate();
    this.#owner.onProgress();
  }

  #answer(call: ServedCall, id: number, answer: Packet): void {
    if (call.abandoned) return;
    const body = encodeAnswer(answer);
    const bytes = HEADER_BYTES + bodyBytesOf(body);
    if (bytes > this.#answerBytesMax) throw tooLarge(bytes, this.#answerBytesMax);
    this.#channel.send('response', id, 0, body);
  }

  /** Holds the caller back while there is too much to do or too much it has not read. */
  #regulate(): void {
    this.#channel.paused =
      this.#served.size >= this.#limits.callsMax ||
      this.#servedBytes >= this.#limits.servedBytesMax ||
      this.#channel.queuedBytes > this.#limits.queuedBytesMax;
  }
}

function tooLarge(bytes: number, limit: number): MishardsError {
  return new MishardsError(
    'PARAMETER_TOO_LARGE',
    `the answer has ${bytes} bytes, above the limit ${limit} of wire.frame_bytes_max; ask for fewer rows or fields`,
  );
}
