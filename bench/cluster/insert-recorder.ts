import * as grpc from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;
export const INSERT_PATH = '/milvus.proto.milvus.MilvusService/Insert';

/** What stands between a client and a proxy keeps the bytes of each Insert and its reply. */
export interface InsertRecorder extends AsyncDisposable {
  readonly address: string;
  readonly requests: readonly Buffer[];
  readonly reply: () => Buffer;
}

/** Passes every call on, unread. */
export async function recordInserts(target: string): Promise<InsertRecorder> {
  const onward = rawClient(target);
  const requests: Buffer[] = [];
  let reply: Buffer | null = null;
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  const forward = (path: string): grpc.handleUnaryCall<Buffer, Buffer> => {
    return (call, send) => {
      onward(path, call.request, call.metadata).then(
        (answer) => {
          if (path === INSERT_PATH) {
            requests.push(call.request);
            reply = answer;
          }
          send(null, answer);
        },
        (error: grpc.ServiceError) => send(error),
      );
    };
  };
  for (const name of ['Connect', 'DescribeCollection', 'GetVersion', 'Insert']) {
    const path = `/milvus.proto.milvus.MilvusService/${name}`;
    server.register(path, forward(path), asIs, asIs, 'unary');
  }
  const port = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    requests,
    reply: () => reply!,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
      onward.close();
    },
  };
}

export function listen(server: grpc.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

export interface RawClient {
  (path: string, request: Buffer, metadata?: grpc.Metadata): Promise<Buffer>;
  close(): void;
}

/** Sends bytes that are encoded already. */
export function rawClient(address: string): RawClient {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const call = (path: string, request: Buffer, metadata = new grpc.Metadata()): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, asIs, asIs, request, metadata, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      );
    });
  return Object.assign(call, { close: () => client.close() });
}
