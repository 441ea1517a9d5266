import { MishardsError } from '../errors/index.ts';
import { isPluginPath, loadPluginFunction } from '../util/load-plugin.ts';
import { CheckedDiscovery } from './checked-discovery.ts';
import type { Discovery, DiscoveryContext } from './discovery.ts';

const LEASE_TTL_MS = 3_000;
const LEASE_TTL_MS_MIN = 100;

const DRIVERS: Readonly<Record<string, (context: DiscoveryContext) => Promise<Discovery>>> = {
  static: async (context) => {
    const { StaticDiscovery } = await import('./static/static-discovery.ts');
    const { parseStaticNode } = await import('./static/parse-static-node.ts');
    const nodes = staticEntries(context).map(parseStaticNode);
    const twice = nodes.find((node, index) => nodes.findIndex((other) => other.id === node.id) !== index);
    if (twice === undefined) return new StaticDiscovery(nodes);
    throw invalid(`discovery.nodes has two nodes of the id ${twice.id}; ids must differ`);
  },
  metastore: async (context) => {
    const { MetastoreDiscovery } = await import('./metastore/metastore-discovery.ts');
    const { metastore, host } = context;
    const onProblem = (error: MishardsError): void => context.onProblem(error);
    return await MetastoreDiscovery.open({ metastore, host, leaseTtlMs: leaseTtlMs(context), onProblem });
  },
};

/**
 * A discovery by the `type` of the configuration: `metastore` (option `leaseTtlMs`), `static` (option `nodes`, see
 * `parseStaticNode`), `npm:<package>` or the path of a file, which then must export `createDiscovery(context)`.
 * Throws `CONFIG_INVALID`. A third party's nodes are checked; malformed ones are left out and reported.
 */
export async function loadDiscovery(
  type: string,
  context: DiscoveryContext,
  baseDirectory: string,
): Promise<Discovery> {
  if (isPluginPath(type)) {
    return new CheckedDiscovery(await loadThirdParty(type, context, baseDirectory), context);
  }
  const create = Object.hasOwn(DRIVERS, type) ? DRIVERS[type] : undefined;
  if (create !== undefined) return await create(context);
  const known = Object.keys(DRIVERS).join(', ');
  throw invalid(`discovery type "${type}" is unknown; use ${known}, npm:<package> or the path of a file`);
}

async function loadThirdParty(
  type: string,
  context: DiscoveryContext,
  baseDirectory: string,
): Promise<Discovery> {
  const createDiscovery = (await loadPluginFunction(type, 'createDiscovery', baseDirectory)) as (
    context: DiscoveryContext,
  ) => unknown;
  const discovery = await createDiscovery(context);
  const missing = missingMember(discovery);
  if (missing === null) return discovery as Discovery;
  throw invalid(`createDiscovery of "${type}" returned no discovery: it has no ${missing}`);
}

function missingMember(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'members';
  if (!('driver' in value) || typeof value.driver !== 'string') return 'text driver';
  for (const name of ['register', 'nodes', 'subscribe', Symbol.asyncDispose] as const) {
    const member: unknown = (value as Readonly<Record<string | symbol, unknown>>)[name];
    if (typeof member !== 'function') return `function ${String(name)}`;
  }
  return null;
}

function staticEntries({ options }: DiscoveryContext): readonly string[] {
  const nodes = options['nodes'];
  const isList = Array.isArray(nodes) && nodes.every((node) => typeof node === 'string');
  if (isList && nodes.length > 0) return nodes;
  throw invalid('discovery.nodes is empty; static discovery needs the list of all nodes');
}

function leaseTtlMs({ options }: DiscoveryContext): number {
  const value = options['leaseTtlMs'] ?? LEASE_TTL_MS;
  if (typeof value === 'number' && value >= LEASE_TTL_MS_MIN) return value;
  throw invalid(
    `the lease time of discovery is ${JSON.stringify(value)}; it must be at least ${LEASE_TTL_MS_MIN} ms`,
  );
}

function invalid(message: string): MishardsError {
  return new MishardsError('CONFIG_INVALID', message);
}
