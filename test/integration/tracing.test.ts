import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  propagation,
  trace,
  type Context,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { succeeded } from '../support/milvus.ts';
import { createPoints, indexAndLoad, randomPoints, searchIds } from '../support/points.ts';
import { TestCluster } from '../support/test-cluster.ts';

/** The `traceparent` header of W3C Trace Context, the part this test needs. */
const traceParent: TextMapPropagator = {
  fields: () => ['traceparent'],
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span !== undefined) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`);
  },
  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = String(getter.get(carrier, 'traceparent') ?? '');
    const [, traceId, spanId] = header.split('-');
    if (traceId === undefined || spanId === undefined) return context;
    return trace.setSpanContext(context, { traceId, spanId, traceFlags: 1, isRemote: true });
  },
};

test('one search is one trace: routing, nodes, their work on the readers, merging', async () => {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  propagation.setGlobalPropagator(traceParent);
  await using cluster = await TestCluster.start({ readers: 2 });
  const client = await cluster.client();
  const points = randomPoints(400);
  await createPoints(client, 'points', 4);
  await indexAndLoad(client, 'points');
  succeeded(await client.insert({ collection_name: 'points', data: points }));
  succeeded(await client.flushSync({ collection_names: ['points'] }));
  exporter.reset();
  await searchIds(client, 'points', points[0]!.vector, 3);

  const spans = exporter.getFinishedSpans();
  const named = (name: string): ReadableSpan => {
    const span = spans.find((candidate) => candidate.name === name);
    assert.ok(span, `no span ${name} among ${spans.map((each) => each.name).join(', ')}`);
    return span;
  };
  const search = named('do_search');
  const nodes = spans.filter((span) => /^search_reader-\d$/.test(span.name));
  assert.ok(nodes.length > 0);
  for (const node of nodes) {
    assert.equal(node.parentSpanContext?.spanId, search.spanContext().spanId);
    assert.ok(Number(node.attributes['mishards.rows_searched']) >= 0);
    const onReader = spans.filter((span) => span.parentSpanContext?.spanId === node.spanContext().spanId);
    assert.equal(onReader.length, 1, 'the reader continues the trace of the proxy');
    assert.equal(onReader[0]!.attributes['mishards.role'], 'reader');
  }
  const traces = new Set(
    [named('get_routing'), search, ...nodes, named('do_merge')].map((span) => span.spanContext().traceId),
  );
  assert.equal(traces.size, 1, 'all belong to one trace');
});
