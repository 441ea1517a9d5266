import {
  status as GrpcStatus,
  type handleUnaryCall,
  type MethodDefinition,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { openCall } from './call-context.ts';
import type { FrontServices, Handler, Handlers, MethodName, MilvusCall } from './handler.ts';
import { milvusHandlers } from './handlers.ts';
import { failureReply } from './reply-status.ts';
import { requestAttributes } from './request-attributes.ts';
import { asMishardsError, MishardsError } from '../../errors/index.ts';
import type { Timers } from '../../host/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { withSpan } from '../../telemetry/tracing.ts';
import { MILVUS_METHODS } from '../translate/generated/milvus.js';
import type { MethodDescriptor } from '../translate/protobuf/message-type.ts';

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type AnyMethod = MethodDescriptor<never, never>;

export interface ServiceOptions {
  readonly services: FrontServices;
  readonly timers: Timers;
  readonly logger: Logger;
  /** For requests whose client gives no deadline. */
  readonly requestTimeoutMs: number;
  /** Requests under way; more are refused as overload. */
  readonly requestsMax: number;
  /** Counts and times each call; `body` rejects with what the client is told. */
  readonly measure: (method: string, body: () => Promise<Uint8Array>) => Promise<Uint8Array>;
}

export interface MilvusService {
  readonly definition: Readonly<Record<MethodName, MethodDefinition<Buffer, Buffer>>>;
  readonly implementation: Readonly<Record<string, handleUnaryCall<Buffer, Buffer>>>;
}

/** The gRPC service at the level of bytes: messages are decoded and encoded here, not by the gRPC library. */
export function milvusService(options: ServiceOptions): MilvusService {
  const handlers = milvusHandlers(options.services);
  const inFlight = { count: 0 };
  const names = Object.keys(MILVUS_METHODS) as MethodName[];
  return {
    definition: Object.fromEntries(
      names.map((name) => [name, methodDefinition(MILVUS_METHODS[name].path)]),
    ) as MilvusService['definition'],
    implementation: Object.fromEntries(
      names.map((name) => {
        const run = runner(name, handlers);
        return [
          name,
          (grpc: UnaryCall, send: sendUnaryData<Buffer>) => answer(options, inFlight, name, run, grpc, send),
        ];
      }),
    ),
  };
}

/** `describe` is told what the request is about, for its span. */
type Run = (request: Buffer, call: MilvusCall, describe: (request: object) => void) => Promise<Uint8Array>;

function runner<Name extends MethodName>(name: Name, handlers: Partial<Handlers<MethodName>>): Run {
  const method = MILVUS_METHODS[name] as unknown as MethodDescriptor<unknown, unknown>;
  const handler = handlers[name] as Handler<MethodName> | undefined;
  if (handler === undefined) {
    return () => Promise.reject(new MishardsError('NOT_SUPPORTED', `${name} is not supported yet`));
  }
  return async (bytes, call, describe) => {
    const request = method.request.decode(bytes);
    describe(request as object);
    return method.reply.encode(await handler(request as never, call));
  };
}

/** Never throws and always answers once. */
async function answer(
  options: ServiceOptions,
  inFlight: { count: number },
  name: MethodName,
  run: Run,
  grpc: UnaryCall,
  send: sendUnaryData<Buffer>,
): Promise<void> {
  const { services, timers, requestTimeoutMs, requestsMax } = options;
  using scope = openCall(grpc, { clock: services.clock, timers, timeoutMs: requestTimeoutMs });
  inFlight.count++;
  try {
    const reply = await options.measure(name, () => {
      if (inFlight.count > requestsMax) throw overloaded(requestsMax);
      return withSpan(`milvus.${name}`, scope.call.trace, { 'rpc.method': name }, (trace, span) =>
        run(grpc.request, { ...scope.call, trace }, (request) =>
          span.setAttributes(requestAttributes(request)),
        ),
      );
    });
    send(null, asBuffer(reply));
  } catch (error) {
    log(options.logger, name, error);
    fail(MILVUS_METHODS[name] as unknown as AnyMethod, error, send);
  } finally {
    inFlight.count--;
  }
}

function fail(method: AnyMethod, error: unknown, send: sendUnaryData<Buffer>): void {
  const reply = failureReply(method, error);
  if (reply !== null) return send(null, asBuffer(reply));
  const { message, entry } = asMishardsError(error);
  send({ code: GrpcStatus[entry.grpcStatus as keyof typeof GrpcStatus], details: message });
}

function log(logger: Logger, method: MethodName, error: unknown): void {
  const typed = asMishardsError(error);
  const detail = typed.detail === undefined ? {} : { detail: typed.detail };
  logger[typed.entry.logLevel]({ method, code: typed.code, ...detail, error: typed }, 'request failed');
}

function overloaded(requestsMax: number): MishardsError {
  return new MishardsError(
    'OVERLOADED',
    `the proxy has ${requestsMax} requests under way, which is its limit; retry with backoff`,
  );
}

function methodDefinition(path: string): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
