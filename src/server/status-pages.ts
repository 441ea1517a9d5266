import type { WriterLeader } from '../catalog/model.ts';
import type { NodeInfo } from '../discovery/discovery.ts';
import { MishardsError } from '../errors/index.ts';
import type { ProxyCore } from '../proxy/proxy-core.ts';

export interface ClusterStatus {
  readonly revision: number;
  readonly writer: WriterLeader | null;
  readonly nodes: readonly NodeInfo[];
  readonly collections: readonly CollectionStatus[];
}

export interface CollectionStatus {
  readonly database: string;
  readonly name: string;
  readonly segments: number;
  readonly rowsInSegments: number;
  /** null = released. */
  readonly replicas: number | null;
}

/** What a proxy tells operators, by path. */
export function statusPages(core: ProxyCore): ReadonlyMap<string, (query: URLSearchParams) => unknown> {
  return new Map<string, (query: URLSearchParams) => unknown>([
    ['/status', () => clusterStatus(core)],
    ['/route', (query) => routeOf(core, query)],
  ]);
}

function clusterStatus(core: ProxyCore): ClusterStatus {
  const snapshot = core.catalog.snapshot();
  const collections = [...snapshot.collections.values()].map((collection): CollectionStatus => {
    const segments = snapshot.segmentsOf(collection.id);
    return {
      database: collection.databaseName,
      name: collection.name,
      segments: segments.length,
      rowsInSegments: segments.reduce((sum, segment) => sum + segment.rowCount, 0),
      replicas: collection.load?.replicas ?? null,
    };
  });
  return { revision: snapshot.revision, writer: snapshot.writer, nodes: core.nodes(), collections };
}

function routeOf(core: ProxyCore, query: URLSearchParams): unknown {
  const database = query.get('database') ?? 'default';
  const name = query.get('collection') ?? '';
  const collection = core.catalog.snapshot().findCollection(database, name);
  if (collection === undefined) {
    throw new MishardsError('COLLECTION_NOT_FOUND', `no collection or alias ${name} in database ${database}`);
  }
  return core.explainRoute(collection);
}
