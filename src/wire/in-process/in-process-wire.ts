import { MishardsError, asMishardsError } from '../../errors/index.ts';
import type { Timers } from '../../host/index.ts';
import type { Packet } from '../../util/packet.ts';
import { PendingCall } from '../pending-call.ts';
import { ServedCall } from '../served-call.ts';
import { DEFAULT_WIRE_LIMITS, type WireLimits } from '../wire-limits.ts';
import type { CallOptions, Wire, WireHandler, WirePeer, WireServer } from '../wire.ts';

const NO_TRACE = Object.freeze({});

/**
 * `memory://name`: calls between the nodes of one process. Packets pass by reference and nothing is serialized; deadlines,
 * cancellation, bounds and errors are those of the sockets. Names are known within one instance only.
 */
export class InProcessWire implements Wire {
  readonly #servers = new Map<string, InProcessServer>();
  readonly #timers: Timers;
  readonly #limits: WireLimits;

  constructor(timers: Timers, limits: Partial<WireLimits> = {}) {
    this.#timers = timers;
    this.#limits = { ...DEFAULT_WIRE_LIMITS, ...limits };
  }

  async listen(address: string, handler: WireHandler): Promise<WireServer> {
    if (!/^memory:\/\/.+$/.test(address)) {
      throw new MishardsError('CONFIG_INVALID', `address "${address}" is not memory://<name>`);
    }
    if (this.#servers.has(address)) {
      throw new MishardsError('CONFIG_INVALID', `cannot listen at ${address}: the address is in use`);
    }
    const server = new InProcessServer(address, handler, this.#timers, () => this.#servers.delete(address));
    this.#servers.set(address, server);
    return server;
  }

  connect(address: string): WirePeer {
    return new InProcessPeer(address, () => this.#servers.get(address), this.#timers, this.#limits);
  }
}

class InProcessServer implements WireServer {
  readonly address: string;
  readonly #handler: WireHandler;
  readonly #timers: Timers;
  readonly #onClosed: () => void;
  readonly #calls = new Map<ServedCall, PendingCall>();
  #draining = false;
  #closed = false;
  #onIdle: (() => void) | null = null;

  constructor(address: string, handler: WireHandler, timers: Timers, onClosed: () => void) {
    this.address = address;
    this.#handler = handler;
    this.#timers = timers;
    this.#onClosed = onClosed;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Runs the handler now and answers `pending` later. */
  async serve(method: string, request: Packet, call: ServedCall, pending: PendingCall): Promise<void> {
    this.#calls.set(call, pending);
    try {
      const answer = await this.#handler(method, request, call.context);
      if (!call.abandoned) pending.answer(answer);
    } catch (error) {
      if (!call.abandoned) pending.fail(asMishardsError(error));
    } finally {
      call.end();
      this.#calls.delete(call);
      if (this.#calls.size === 0) this.#onIdle?.();
    }
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    if (this.#calls.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    using _timer = this.#timers.after(timeoutMs, resolve);
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#draining = true;
    this.#onClosed();
    this.#onIdle?.();
    for (const [call, pending] of [...this.#calls]) {
      const reason = new MishardsError('CONNECTION_LOST', `${this.address} was closed during the call`);
      call.abandon(reason);
      pending.fail(reason);
    }
  }
}

class InProcessPeer implements WirePeer {
  readonly address: string;
  readonly #find: () => InProcessServer | undefined;
  readonly #timers: Timers;
  readonly #limits: WireLimits;
  readonly #pending = new Map<PendingCall, ServedCall>();
  #closed = false;

  constructor(address: string, find: () => InProcessServer | undefined, timers: Timers, limits: WireLimits) {
    this.address = address;
    this.#find = find;
    this.#timers = timers;
    this.#limits = limits;
  }

  async call(method: string, request: Packet, options: CallOptions): Promise<Packet> {
    const server = this.#admit(method);
    const pending = new PendingCall(method, options, this.#timers, (reason) => call.abandon(reason));
    const call = new ServedCall(method, pending.timeoutMs, options.trace ?? NO_TRACE, null);
    this.#pending.set(pending, call);
    try {
      void server.serve(method, request, call, pending);
      return await pending.promise;
    } finally {
      this.#pending.delete(pending);
    }
  }

  #admit(method: string): InProcessServer {
    if (this.#closed) throw new MishardsError('CONNECTION_LOST', `the peer ${this.address} was closed`);
    const server = this.#find();
    if (server === undefined) {
      throw new MishardsError('UNREACHABLE', `cannot connect to ${this.address}: nothing listens there`);
    }
    if (server.draining) {
      throw new MishardsError('SERVICE_NOT_READY', `${this.address} is stopping and takes no new calls`);
    }
    if (this.#pending.size >= this.#limits.callsMax) {
      throw new MishardsError(
        'OVERLOADED',
        `${method} is refused: ${this.#pending.size} calls to ${this.address} are under way, the limit wire.calls_max`,
      );
    }
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const [pending, call] of [...this.#pending]) {
      const reason = new MishardsError('CONNECTION_LOST', `the peer ${this.address} was closed`);
      call.abandon(reason);
      pending.fail(reason);
    }
  }
}
