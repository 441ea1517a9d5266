import assert from 'node:assert/strict';
import { Client, credentials, status as GrpcStatus, type ServiceError } from '@grpc/grpc-js';
import { describe, test } from 'node:test';
import { startTestFront } from '../../../test/support/front.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import type { ProxyCore, RequestContext } from '../proxy-core.ts';
import { MILVUS_METHODS } from '../translate/generated/milvus.js';

const OPTIONS = { messageBytesMax: 2 ** 20, requestTimeoutMs: 10_000, shutdownGraceMs: 5_000 };

/** A core whose flush is whatever the test makes of it; the rest is the one in memory. */
function withFlush(flush: ProxyCore['flush']): (core: ProxyCore) => ProxyCore {
  return (core) =>
    new Proxy(core, { get: (target, name) => (name === 'flush' ? flush : bound(target, name)) });
}

function bound(target: ProxyCore, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

/** Resolves with the context of the first flush; that flush ends when its signal aborts, or by `release`. */
function hangingFlush(): {
  readonly core: (core: ProxyCore) => ProxyCore;
  readonly begun: Promise<RequestContext>;
  readonly release: (error: Error) => void;
} {
  const begun = Promise.withResolvers<RequestContext>();
  const end = Promise.withResolvers<never>();
  end.promise.catch(() => undefined);
  const core = withFlush((_collections, context) => {
    begun.resolve(context);
    context.signal.addEventListener('abort', () => end.reject(context.signal.reason as Error));
    return end.promise;
  });
  return { core, begun: begun.promise, release: end.reject };
}

describe('the front', () => {
  test('tells the core how long the client waits, and when it gives up', async () => {
    const hanging = hangingFlush();
    await using front = await startTestFront({ core: hanging.core, options: OPTIONS });
    const abort = new AbortController();
    const call = front.call('FlushAll', {}, { timeoutMs: 5_000, signal: abort.signal });
    const context = await hanging.begun;
    assert.ok(context.timeoutMs > 0 && context.timeoutMs <= 5_000, `${context.timeoutMs} ms`);
    abort.abort();
    await assert.rejects(call, (error: ServiceError) => error.code === GrpcStatus.CANCELLED);
    await new Promise((resolve) => {
      if (context.signal.aborted) resolve(null);
      else context.signal.addEventListener('abort', resolve);
    });
    assert.equal((context.signal.reason as MishardsError).code, 'CANCELLED');
  });

  test('bounds requests whose client gives no deadline', async () => {
    const hanging = hangingFlush();
    await using front = await startTestFront({
      core: hanging.core,
      options: { ...OPTIONS, requestTimeoutMs: 20 },
    });
    const { status } = await front.call('FlushAll', {});
    assert.equal(status!.code, 10_001);
    assert.match(status!.reason!, /^the request was not answered within its 20 ms/);
    assert.equal(status!.retriable, true);
  });

  test('refuses what is above its bound', async () => {
    const hanging = hangingFlush();
    await using front = await startTestFront({ core: hanging.core, options: { ...OPTIONS, requestsMax: 1 } });
    const first = front.call('FlushAll', {});
    await hanging.begun;
    const { status } = await front.call('GetVersion', {});
    assert.equal(status!.code, 8);
    assert.match(status!.reason!, /^the proxy has 1 requests under way, which is its limit/);
    hanging.release(new MishardsError('NO_WRITER', 'no writer holds the lease'));
    assert.equal((await first).status!.code, 2);
    assert.equal((await front.call('GetVersion', {})).status!.code, 0);
  });

  test('survives a defect, tells the client, logs it', async () => {
    const lines: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
    const logger: Logger = { ...silentLogger, error: (fields, message) => lines.push({ fields, message }) };
    const core = withFlush(() => {
      throw new TypeError('x is not a function');
    });
    await using front = await startTestFront({ core, logger, options: OPTIONS });
    const { status } = await front.call('FlushAll', {});
    assert.equal(status!.code, 5);
    assert.equal(status!.reason, 'service internal error: x is not a function');
    assert.deepEqual(
      lines.map(({ fields, message }) => [message, fields['method'], fields['code']]),
      [['request failed', 'FlushAll', 'INTERNAL']],
    );
    assert.equal((await front.call('GetVersion', {})).status!.code, 0);
  });

  test('refuses bytes that are no message, and messages above the limit', async () => {
    await using front = await startTestFront({ options: OPTIONS });
    const broken = await send(front.address, Buffer.from([0x0a, 0xff]));
    assert.equal(broken.code, 1100);
    assert.match(broken.reason!, /^the message cannot be decoded: it ends in the middle of a field/);
    await assert.rejects(
      send(front.address, Buffer.alloc(OPTIONS.messageBytesMax + 1)),
      (error: ServiceError) => error.code === GrpcStatus.RESOURCE_EXHAUSTED,
    );
  });

  test('lets requests under way end when it is closed', async () => {
    const hanging = hangingFlush();
    const front = await startTestFront({ core: hanging.core, options: OPTIONS });
    const call = front.call('FlushAll', {});
    await hanging.begun;
    const closed = front[Symbol.asyncDispose]();
    hanging.release(new MishardsError('NO_WRITER', 'no writer holds the lease'));
    assert.equal((await call).status!.reason, 'no writer holds the lease');
    await closed;
    await assert.rejects(front.call('GetVersion', {}, { timeoutMs: 500 }));
  });

  test('ends requests that do not end in time when it is closed', async () => {
    const hanging = hangingFlush();
    const front = await startTestFront({ core: hanging.core, options: { ...OPTIONS, shutdownGraceMs: 10 } });
    const call = front.call('FlushAll', {});
    await hanging.begun;
    await Promise.all([assert.rejects(call), front[Symbol.asyncDispose]()]);
  });

  test('hands the trace of the client to the core, and every call to the measure', async () => {
    const hanging = hangingFlush();
    const measured: string[] = [];
    await using front = await startTestFront({
      core: hanging.core,
      options: OPTIONS,
      measure: (method, body) => {
        measured.push(method);
        return body();
      },
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const call = front.call('FlushAll', {}, { metadata: { traceparent } });
    const { trace } = await hanging.begun;
    assert.deepEqual(trace, { traceparent });
    hanging.release(new Error('enough'));
    await call;
    assert.deepEqual(measured, ['FlushAll']);
  });

  test('says which address it cannot use', async () => {
    await using front = await startTestFront({ options: OPTIONS });
    const { createMilvusFront } = await import('./index.ts');
    const { createNodeHost } = await import('../../host/node/index.ts');
    await using second = createMilvusFront({
      core: front.core,
      host: createNodeHost(),
      logger: silentLogger,
      options: OPTIONS,
    });
    const port = Number(front.address.split(':')[1]);
    await assert.rejects(second.listen('127.0.0.1', port), {
      code: 'CONFIG_INVALID',
      message: /cannot listen on 127\.0\.0\.1:/,
    });
  });
});

/** Bytes as they are to `FlushAll`. */
function send(address: string, bytes: Buffer): Promise<{ readonly code?: number; readonly reason?: string }> {
  const client = new Client(address, credentials.createInsecure());
  const method = MILVUS_METHODS.Flush;
  return new Promise<{ readonly code?: number; readonly reason?: string }>((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      (message: Buffer) => message,
      (message: Buffer) => method.reply.decode(message) as { readonly status: { readonly code: number } },
      bytes,
      (error, reply) => (error === null ? resolve(reply!.status) : reject(error)),
    );
  }).finally(() => client.close());
}
