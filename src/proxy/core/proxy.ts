import { compactionCalls } from './compaction-calls.ts';
import { withDeletesByFilter } from './delete-by-filter.ts';
import { explainRoute } from './explain-route.ts';
import { Guarantees } from './guarantees.ts';
import { loadProgress } from './load-progress.ts';
import { PlacementCache } from './placement-cache.ts';
import type { ProxyOptions } from './proxy-options.ts';
import { ReadPath } from './read-path.ts';
import { ReaderPool } from './reader-pool.ts';
import { WriterLink } from './writer-link.ts';
import type { ProxyCore, RequestContext, RowsRequest } from '../proxy-core.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { WriterLeader } from '../../catalog/model.ts';
import type { Discovery, NodeInfo } from '../../discovery/discovery.ts';
import type { Host } from '../../host/index.ts';
import type { ReaderApi } from '../../protocol/reader-api.ts';
import type { MutationResult, WriterApi } from '../../protocol/writer-api.ts';
import type { Router } from '../../routing/router.ts';

export interface ProxyDependencies {
  readonly host: Host;
  readonly catalog: Catalog;
  /** Healthy nodes only. */
  readonly discovery: Discovery;
  readonly router: Router;
  readonly readerFor: (node: NodeInfo) => ReaderApi & AsyncDisposable;
  readonly writerFor: (leader: WriterLeader) => WriterApi & AsyncDisposable;
  readonly options: ProxyOptions;
}

export function createProxy(dependencies: ProxyDependencies): ProxyCore & AsyncDisposable {
  const { host, catalog, discovery, options } = dependencies;
  const link = new WriterLink({ ...dependencies, ...host, ...options });
  const pool = new ReaderPool({ ...dependencies, ...host, ...options });
  const guarantees = new Guarantees(link, options.boundedStalenessMs);
  const placements = new PlacementCache(dependencies.router);
  const reads = new ReadPath({ catalog, pool, placements, guarantees, host, options });
  const pruning = catalog.subscribe((snapshot) => {
    placements.prune(snapshot);
    guarantees.forget((id) => snapshot.collections.has(id));
    pool.forget((id) => snapshot.channel(id) !== undefined);
  });

  const mutate =
    (kind: 'insert' | 'upsert') =>
    async (
      { collection, partitionId, rows }: RowsRequest,
      context: RequestContext,
    ): Promise<MutationResult> => {
      const request = {
        collectionId: collection.id,
        schemaVersion: collection.schemaVersion,
        partitionId,
        rows,
      };
      const result = await link.call(context, (writer, call) => writer[kind](request, call));
      guarantees.remember(collection.id, result);
      return result;
    };

  return {
    catalog,
    nodes: () => discovery.nodes(),
    async execute(command, context) {
      const { revision } = await link.call(context, (writer, call) => writer.execute(command, call));
      return await catalog.waitFor((snapshot) => snapshot.revision >= revision, context.signal);
    },
    insert: mutate('insert'),
    upsert: mutate('upsert'),
    delete: withDeletesByFilter(link, reads, guarantees),
    async flush(collections, context) {
      const result = await link.call(context, (writer, call) => writer.flush(collections, call));
      await catalog.waitFor((snapshot) => snapshot.revision >= result.revision, context.signal);
      return result;
    },
    ...compactionCalls(link, catalog),
    async rowCount(collection, partitionId, context) {
      const fresh = await link.call(context, (writer, call) => writer.freshRows(collection.id, call));
      const counts = catalog
        .snapshot()
        .segmentsOf(collection.id)
        .map((segment) => [segment.partitionId, segment.rowCount] as const);
      const present = new Set(collection.partitions.map((partition) => partition.id));
      return [...counts, ...fresh]
        .filter(([id]) => (partitionId === null ? present.has(id) : id === partitionId))
        .reduce((sum, [, count]) => sum + count, 0);
    },
    search: (command, context) => reads.search(command, context),
    hybridSearch: (command, context) => reads.hybridSearch(command, context),
    query: (command, context) => reads.query(command, context),
    loadProgress: (collection, partitionIds, context) =>
      loadProgress({ catalog, pool, placements }, collection, partitionIds, context),
    explainRoute: (collection) => explainRoute({ catalog, pool, placements }, collection),
    async [Symbol.asyncDispose]() {
      pruning[Symbol.dispose]();
      await pool[Symbol.asyncDispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}
