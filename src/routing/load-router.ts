import { MishardsError } from '../errors/index.ts';
import { isPluginPath, loadPluginFunction } from '../util/load-plugin.ts';
import { CheckedRouter } from './checked-router.ts';
import type { Router } from './router.ts';

type RouterOptions = Readonly<Record<string, unknown>>;

const DRIVERS: Readonly<Record<string, (options: RouterOptions) => Promise<Router>>> = {
  'consistent-hash': async (options) => {
    const { ConsistentHashRouter } = await import('./consistent-hash/consistent-hash-router.ts');
    return new ConsistentHashRouter(consistentHashOptions(options));
  },
  rendezvous: async (options) => {
    refuseOptions('rendezvous', options, []);
    const { RendezvousRouter } = await import('./rendezvous/rendezvous-router.ts');
    return new RendezvousRouter();
  },
  'round-robin': async (options) => {
    refuseOptions('round-robin', options, []);
    const { RoundRobinRouter } = await import('./round-robin/round-robin-router.ts');
    return new RoundRobinRouter();
  },
};

/**
 * A router by the `type` of the configuration: a built-in name, `npm:<package>` or the path of a file, which then must export
 * `createRouter(options)`. Throws `CONFIG_INVALID`. A third party's placements are checked at every call.
 */
export async function loadRouter(
  type: string,
  options: RouterOptions,
  baseDirectory: string,
): Promise<Router> {
  if (isPluginPath(type)) return new CheckedRouter(await loadThirdParty(type, options, baseDirectory));
  const create = Object.hasOwn(DRIVERS, type) ? DRIVERS[type] : undefined;
  if (create !== undefined) return await create(options);
  throw new MishardsError(
    'CONFIG_INVALID',
    `router type "${type}" is unknown; use ${Object.keys(DRIVERS).join(', ')}, npm:<package> or the path of a file`,
  );
}

async function loadThirdParty(type: string, options: RouterOptions, baseDirectory: string): Promise<Router> {
  const createRouter = (await loadPluginFunction(type, 'createRouter', baseDirectory)) as (
    options: RouterOptions,
  ) => unknown;
  const router = createRouter(options);
  if (isRouter(router)) return router;
  throw new MishardsError(
    'CONFIG_INVALID',
    `createRouter of "${type}" returned no router; it must have a text driver and a function place`,
  );
}

function isRouter(value: unknown): value is Router {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'driver' in value &&
    typeof value.driver === 'string' &&
    'place' in value &&
    typeof value.place === 'function'
  );
}

function consistentHashOptions(options: RouterOptions): { readonly loadBound?: number } {
  refuseOptions('consistent-hash', options, ['load_bound']);
  const loadBound = options['load_bound'];
  if (loadBound === undefined) return {};
  if (typeof loadBound === 'number' && loadBound > 1) return { loadBound };
  throw new MishardsError(
    'CONFIG_INVALID',
    `load_bound of the router is ${JSON.stringify(loadBound)}; it must be a number above 1, such as 1.25`,
  );
}

function refuseOptions(driver: string, options: RouterOptions, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const cure = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  throw new MishardsError('CONFIG_INVALID', `the router ${driver} has no option "${unknown}"; ${cure}`);
}
