import { Server, ServerCredentials } from '@grpc/grpc-js';
import { milvusService, type ServiceOptions } from './grpc-service.ts';
import type { ProxyCore } from '../proxy-core.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Host } from '../../host/index.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface MilvusFrontOptions {
  /** Largest message a client may send. */
  readonly messageBytesMax: number;
  /** For requests whose client gives no deadline. */
  readonly requestTimeoutMs: number;
  /** How long requests under way may take when the front is closed. */
  readonly shutdownGraceMs: number;
  /** Requests under way; more are refused as overload. Default 4 096. */
  readonly requestsMax?: number;
  /** What `GetVersion` says; clients read features out of it. Default: the Milvus version this front speaks. */
  readonly serverVersion?: string;
  /** The writer's bound below which a segment gets no index: such segments count as indexed. Default 1 024. */
  readonly indexRowsMin?: number;
  /** The writer's bound up to which segments are merged. Default 512 MiB. */
  readonly segmentBytesMax?: number;
}

const DEFAULTS = {
  requestsMax: 4_096,
  serverVersion: 'v3.0.0-mishards',
  indexRowsMin: 1_024,
  segmentBytesMax: 512 * 2 ** 20,
} as const;

export interface MilvusFrontDependencies {
  readonly core: ProxyCore;
  readonly host: Pick<Host, 'clock' | 'random' | 'timers'>;
  readonly logger: Logger;
  readonly options: MilvusFrontOptions;
  /** Counts and times each call. */
  readonly measure?: ServiceOptions['measure'];
}

/** The gRPC face of the proxy, as Milvus's clients know it. Disposing it refuses new calls and lets those under way end. */
export interface MilvusFront extends AsyncDisposable {
  /** Port 0 = any. Legal once. Throws `CONFIG_INVALID` for an address that cannot be used. */
  listen(host: string, port: number): Promise<{ readonly port: number }>;
}

/** A pinged connection that does not answer within this is closed. */
const KEEPALIVE_TIMEOUT_MS = 20_000;
const KEEPALIVE_INTERVAL_MS = 60_000;

export function createMilvusFront(dependencies: MilvusFrontDependencies): MilvusFront {
  const { core, host, logger } = dependencies;
  const options = { ...DEFAULTS, ...dependencies.options };
  // @NOTE channelz must stay on (its default): without it the library forgets its sessions and cannot end them.
  const server = new Server({
    'grpc.max_receive_message_length': options.messageBytesMax,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.keepalive_permit_without_calls': 1,
  });
  const service = milvusService({
    services: { core, ...host, ...options },
    timers: host.timers,
    logger,
    requestTimeoutMs: options.requestTimeoutMs,
    requestsMax: options.requestsMax,
    measure: dependencies.measure ?? ((_method, body) => body()),
  });
  server.addService(service.definition, service.implementation);
  let closing: Promise<void> | undefined;
  return {
    async listen(address, port) {
      const bound = await bind(server, address, port);
      logger.info({ host: address, port: bound }, 'milvus front listens');
      return { port: bound };
    },
    [Symbol.asyncDispose]: () => (closing ??= close(server, host, options.shutdownGraceMs)),
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) return resolve(bound);
      reject(
        new MishardsError(
          'CONFIG_INVALID',
          `cannot listen on ${address}: ${error.message}; choose another proxy.host or proxy.port`,
          { cause: error },
        ),
      );
    });
  });
}

async function close(server: Server, { timers }: Pick<Host, 'timers'>, graceMs: number): Promise<void> {
  using _timer = timers.after(graceMs, () => server.forceShutdown());
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
}
