import { connect, type ListenOptions, type Server, type Socket } from 'node:net';
import { MishardsError } from '../../errors/index.ts';

/** The kernel's limit for the path of a Unix socket, without its final zero. */
const UNIX_PATH_BYTES_MAX = 107;

export type SocketAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** `tcp://host:port`, `tcp://[::1]:port` or `unix:///path`. Throws `CONFIG_INVALID` on anything else. */
export function parseSocketAddress(address: string): SocketAddress {
  if (address.startsWith('unix://')) {
    const path = address.slice('unix://'.length);
    if (!path.startsWith('/')) throw invalid(address, 'the path must be absolute');
    const bytes = Buffer.byteLength(path);
    if (bytes <= UNIX_PATH_BYTES_MAX) return { kind: 'unix', path };
    throw invalid(address, `a path of ${bytes} bytes is above the system's limit ${UNIX_PATH_BYTES_MAX}`);
  }
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^/:@\s]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined) throw invalid(address, 'it is neither tcp://<host>:<port> nor unix://<path>');
  if (port > 65_535) throw invalid(address, `port ${port} is above 65535`);
  return { kind: 'tcp', host, port };
}

/** `address` with the port the system gave. */
export function boundAddress(asked: SocketAddress, server: Server): string {
  if (asked.kind === 'unix') return `unix://${asked.path}`;
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : asked.port;
  return asked.host.includes(':') ? `tcp://[${asked.host}]:${port}` : `tcp://${asked.host}:${port}`;
}

export function listenOptions(address: SocketAddress): ListenOptions {
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
}

export function openSocket(address: SocketAddress): Socket {
  return address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host);
}

function invalid(address: string, why: string): MishardsError {
  return new MishardsError('CONFIG_INVALID', `address "${address}" is not usable: ${why}`);
}
