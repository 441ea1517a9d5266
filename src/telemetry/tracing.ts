import {
  ROOT_CONTEXT,
  SpanStatusCode,
  propagation,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';

/** W3C trace context fields, as they travel between processes. */
export type Carrier = Readonly<Record<string, string>>;
export type SpanAttributes = Attributes;

/**
 * Runs `body` within a span under the carried parent. The parent is explicit, so no context manager is needed; without an
 * OpenTelemetry SDK in the process this costs next to nothing and the carrier is passed on as it came.
 */
export async function withSpan<Result>(
  name: string,
  parent: Carrier,
  attributes: SpanAttributes,
  body: (carrier: Carrier, span: Span) => Promise<Result>,
): Promise<Result> {
  const { span, carrier } = open(name, parent, attributes);
  try {
    return await body(carrier, span);
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** As `withSpan`, for work that does not wait. */
export function withSyncSpan<Result>(
  name: string,
  parent: Carrier,
  attributes: SpanAttributes,
  body: (span: Span) => Result,
): Result {
  const { span } = open(name, parent, attributes);
  try {
    return body(span);
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function open(name: string, parent: Carrier, attributes: SpanAttributes): { span: Span; carrier: Carrier } {
  const parentContext: Context = propagation.extract(ROOT_CONTEXT, parent);
  const span = trace.getTracer('mishards').startSpan(name, { attributes }, parentContext);
  if (!span.isRecording()) return { span, carrier: parent };
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(parentContext, span), carrier);
  return { span, carrier };
}

function fail(span: Span, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  span.recordException(error instanceof Error ? error : message);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
