import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { MilvusClient, type ClientConfig } from '@zilliz/milvus2-sdk-node';
import { MemoryCore } from './memory-core.ts';
import { createNodeHost } from '../../src/host/node/index.ts';
import { createMilvusFront, type MilvusFrontDependencies } from '../../src/proxy/milvus/index.ts';
import type { ProxyCore } from '../../src/proxy/proxy-core.ts';
import { MILVUS_METHODS, type MilvusMethods } from '../../src/proxy/translate/generated/milvus.js';
import type { MessageType } from '../../src/proxy/translate/protobuf/message-type.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

interface RawCallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface TestFront extends AsyncDisposable {
  readonly address: string;
  readonly core: MemoryCore;
  /** Connected when first used. */
  readonly client: MilvusClient;
  /** Another client of the same front. */
  connect(config?: Partial<ClientConfig>): MilvusClient;
  /** One call as it goes over the wire, for requests that the client does not let through. */
  call<Name extends keyof MilvusMethods>(
    name: Name,
    request: object,
    options?: RawCallOptions,
  ): Promise<Required<MilvusMethods[Name]['reply']>>;
}

/** The Milvus front over a core in memory, on a port of its own, with the official client connected to it. */
export async function startTestFront(
  change: Partial<Omit<MilvusFrontDependencies, 'core'>> & {
    readonly core?: (core: MemoryCore) => ProxyCore;
  } = {},
): Promise<TestFront> {
  const core = new MemoryCore();
  const front = createMilvusFront({
    host: createNodeHost(),
    logger: silentLogger,
    options: { messageBytesMax: 64 * 2 ** 20, requestTimeoutMs: 10_000, shutdownGraceMs: 1_000 },
    ...change,
    core: change.core?.(core) ?? core,
  });
  const { port } = await front.listen('127.0.0.1', 0);
  const address = `127.0.0.1:${port}`;
  const clients: MilvusClient[] = [];
  let first: MilvusClient | undefined;
  const connect = (config: Partial<ClientConfig> = {}): MilvusClient => {
    const client = new MilvusClient({ address, telemetry: { enabled: false }, maxRetries: 0, ...config });
    clients.push(client);
    return client;
  };
  return {
    address,
    core,
    get client() {
      return (first ??= connect());
    },
    connect,
    call: (name, request, options) => callRaw(address, name, request, options) as never,
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.closeConnection()));
      await front[Symbol.asyncDispose]();
    },
  };
}

function callRaw(
  address: string,
  name: keyof MilvusMethods,
  request: object,
  options: RawCallOptions = {},
): Promise<unknown> {
  const method = MILVUS_METHODS[name];
  const client = new Client(address, credentials.createInsecure());
  const bytes = (method.request as unknown as MessageType<unknown, object>).encode(request);
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  return new Promise<unknown>((resolve, reject) => {
    const deadline =
      options.timeoutMs === undefined ? {} : { deadline: createNodeHost().clock.nowMs() + options.timeoutMs };
    const call = client.makeUnaryRequest(
      method.path,
      (message: Uint8Array) => Buffer.from(message),
      (message: Buffer) => method.reply.decode(message),
      bytes,
      metadata,
      deadline,
      (error, reply) => (error === null ? resolve(reply) : reject(error)),
    );
    options.signal?.addEventListener('abort', () => call.cancel());
  }).finally(() => client.close());
}
