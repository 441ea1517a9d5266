import { createServer, type Server, type Socket } from 'node:net';
import { MishardsError, asMishardsError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { WireLimits } from '../wire-limits.ts';
import type { WireHandler, WireServer } from '../wire.ts';
import type { WireProtocolError } from './frame-channel.ts';
import { boundAddress, listenOptions, openSocket, type SocketAddress } from './socket-address.ts';
import { SocketConnection, type ConnectionOwner } from './socket-connection.ts';

export type SocketHost = Pick<Host, 'clock' | 'timers' | 'random' | 'files'>;

export class SocketServer implements WireServer, ConnectionOwner {
  readonly address: string;
  readonly #server: Server;
  readonly #host: SocketHost;
  readonly #onProtocolError: (event: WireProtocolError) => void;
  readonly #connections = new Set<SocketConnection>();
  #draining = false;
  #onIdle: (() => void) | null = null;

  static async listen(
    asked: SocketAddress,
    handler: WireHandler,
    host: SocketHost,
    limits: WireLimits,
    onProtocolError: (event: WireProtocolError) => void,
  ): Promise<SocketServer> {
    const server = createServer();
    server.maxConnections = limits.connectionsMax;
    await bind(server, asked, host);
    return new SocketServer(server, asked, handler, host, limits, onProtocolError);
  }

  private constructor(
    server: Server,
    asked: SocketAddress,
    handler: WireHandler,
    host: SocketHost,
    limits: WireLimits,
    onProtocolError: (event: WireProtocolError) => void,
  ) {
    this.#server = server;
    this.#host = host;
    this.#onProtocolError = onProtocolError;
    this.address = boundAddress(asked, server);
    server.on('connection', (socket) => {
      const remote = `the caller ${remoteName(socket)} of ${this.address}`;
      this.#connections.add(new SocketConnection(socket, remote, handler, host, limits, this));
    });
    server.on('error', (error) => this.#report(asMishardsError(error)));
    server.on('drop', () => {
      const message = `refused a connection: ${limits.connectionsMax} are open, the limit wire.connections_max`;
      this.#report(new MishardsError('OVERLOADED', message));
    });
  }

  get draining(): boolean {
    return this.#draining;
  }

  onProgress(): void {
    if (this.#isIdle()) this.#onIdle?.();
  }

  onClosed(connection: SocketConnection): void {
    this.#connections.delete(connection);
    this.onProgress();
  }

  onProtocolError(event: WireProtocolError): void {
    this.#onProtocolError(event);
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections) connection.announceDrain();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    using _timer = this.#host.timers.after(timeoutMs, resolve);
    this.onProgress();
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const reason = new MishardsError('CONNECTION_LOST', `${this.address} was closed`);
    for (const connection of [...this.#connections]) connection.close(reason);
    await stopped;
  }

  #isIdle(): boolean {
    return this.#connections.values().every((connection) => connection.isIdle);
  }

  #report(error: MishardsError): void {
    this.#onProtocolError({ remote: this.address, error });
  }
}

async function bind(server: Server, asked: SocketAddress, host: SocketHost): Promise<void> {
  try {
    await listen(server, asked);
  } catch (error) {
    if (asked.kind !== 'unix' || !(await isAbandoned(asked.path, error, host)))
      throw cannotListen(asked, error);
    await host.files.remove(asked.path);
    await listen(server, asked).catch((again: unknown) => {
      throw cannotListen(asked, again);
    });
  }
}

/** A killed process leaves the file of its Unix socket behind: it has no bytes and nobody answers there. */
async function isAbandoned(path: string, error: unknown, host: SocketHost): Promise<boolean> {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return false;
  const stat = await host.files.stat(path);
  if (stat.isDirectory || stat.sizeBytes > 0) return false;
  return await new Promise((resolve) => {
    const socket = openSocket({ kind: 'unix', path });
    socket.once('error', (refusal: NodeJS.ErrnoException) => resolve(refusal.code === 'ECONNREFUSED'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

function listen(server: Server, asked: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOptions(asked), () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function cannotListen(asked: SocketAddress, cause: unknown): MishardsError {
  const name = asked.kind === 'unix' ? `unix://${asked.path}` : `tcp://${asked.host}:${asked.port}`;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MishardsError('CONFIG_INVALID', `cannot listen at ${name}: ${why}`, { cause });
}

function remoteName(socket: Socket): string {
  return socket.remoteAddress === undefined ? 'on this host' : `${socket.remoteAddress}:${socket.remotePort}`;
}
