import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import type { MilvusCall } from './handler.ts';
import { DEFAULT_DATABASE_NAME } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Clock, Timers } from '../../host/index.ts';
import type { TraceCarrier } from '../../wire/wire.ts';

const TRACE_KEYS = ['traceparent', 'tracestate'] as const;

/** What a call brings along, and the bounds it runs in. Dispose it when the call has been answered. */
export interface CallScope extends Disposable {
  readonly call: MilvusCall;
}

/** The deadline is the client's, or else `timeoutMs`; the signal aborts when it passes and when the client gives up. */
export function openCall(
  grpc: ServerUnaryCall<Buffer, Buffer>,
  {
    clock,
    timers,
    timeoutMs,
  }: { readonly clock: Clock; readonly timers: Timers; readonly timeoutMs: number },
): CallScope {
  const leftMs = Number(grpc.getDeadline()) - clock.nowMs();
  const boundMs = Number.isFinite(leftMs) ? Math.max(1, Math.floor(leftMs)) : timeoutMs;
  const controller = new AbortController();
  const abort = (code: 'CANCELLED' | 'DEADLINE_EXCEEDED', message: string): void =>
    controller.abort(new MishardsError(code, message));
  const timer = timers.after(boundMs, () =>
    abort('DEADLINE_EXCEEDED', `the request was not answered within its ${boundMs} ms; give it more time`),
  );
  const onCancel = (): void => abort('CANCELLED', 'the client gave the request up');
  grpc.once('cancelled', onCancel);
  return {
    call: {
      timeoutMs: boundMs,
      signal: controller.signal,
      trace: traceOf(grpc.metadata),
      databaseName: textOf(grpc.metadata, 'dbname') || DEFAULT_DATABASE_NAME,
    },
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      grpc.off('cancelled', onCancel);
    },
  };
}

function traceOf(metadata: Metadata): TraceCarrier {
  const carrier: Record<string, string> = {};
  for (const key of TRACE_KEYS) {
    const value = textOf(metadata, key);
    if (value !== '') carrier[key] = value;
  }
  return carrier;
}

function textOf(metadata: Metadata, key: string): string {
  const [value] = metadata.get(key);
  return typeof value === 'string' ? value : '';
}
