import { nodeInfo, type RoleOptions, type RunningRole } from './role.ts';
import type { NodeServices } from './node-services.ts';
import { statusPages } from './status-pages.ts';
import { ReaderClient } from '../protocol/reader-client.ts';
import { WriterClient } from '../protocol/writer-client.ts';
import { createProxy } from '../proxy/core/proxy.ts';
import { createMilvusFront } from '../proxy/milvus/index.ts';

export async function startProxyRole(services: NodeServices, options: RoleOptions): Promise<RunningRole> {
  const { config, host, catalog, discovery, router, wire, logger, metrics } = services;
  await using stack = new AsyncDisposableStack();
  const core = stack.use(
    createProxy({
      host,
      catalog,
      discovery,
      router,
      readerFor: (node) => new ReaderClient(wire.connect(node.address)),
      writerFor: (leader) => new WriterClient(wire.connect(leader.address)),
      options: {
        readRetriesMax: config['proxy.read_retries_max'],
        replanWaitMs: config['proxy.replan_wait'],
        replansMax: config['proxy.replans_max'],
        hedging: {
          percentMax: config['proxy.hedge_percent_max'],
          delayMinMs: config['proxy.hedge_delay_min'],
        },
        probeIntervalMs: config['discovery.probe_interval'],
        boundedStalenessMs: config['proxy.bounded_staleness'],
        writerWaitMs: config['proxy.writer_wait'],
        queryRowsMax: config['proxy.query_rows_max'],
        answerBytesMax: config['proxy.answer_bytes_max'],
      },
    }),
  );
  const front = stack.use(
    createMilvusFront({
      core,
      host,
      logger,
      measure: (method, body) => metrics.measure('proxy', method, body),
      options: {
        requestsMax: config['proxy.requests_max'],
        indexRowsMin: config['writer.index_rows_min'],
        segmentBytesMax: config['writer.compaction_bytes_max'],
        messageBytesMax: config['proxy.message_bytes_max'],
        requestTimeoutMs: config['proxy.request_timeout'],
        shutdownGraceMs: config['proxy.shutdown_grace'],
      },
    }),
  );
  const { port } = await front.listen(config['proxy.host'], config['proxy.port']);
  const milvus = `${config['proxy.host']}:${port}`;
  stack.use(await discovery.register(nodeInfo(services, 'proxy', options, `milvus://${milvus}`)));
  const owned = stack.move();
  return {
    addresses: { milvus },
    notReady: () =>
      core.nodes().some((node) => node.role === 'reader') ? [] : ['no healthy reader is registered'],
    pages: statusPages(core),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
