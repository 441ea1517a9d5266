import { join, resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { Host } from '../host/index.ts';
import type { Log } from '../log/log.ts';
import type { Metastore } from '../metastore/metastore.ts';
import { MeteredObjectStore, type ObjectStoreMeter } from '../object-store/metered-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { PrefixedObjectStore } from '../object-store/prefixed-object-store.ts';
import { RetryingObjectStore } from '../object-store/retrying-object-store.ts';

/** What a driver may look at to open itself. */
export interface DriverContext {
  readonly config: Config;
  readonly host: Host;
}

type Drivers<Contract> = Readonly<Record<string, (context: DriverContext) => Promise<Contract>>>;

/** Every driver there is, loaded only when the configuration names it. */
const METASTORES: Drivers<Metastore> = {
  sqlite: async ({ config, host }) => {
    const { createSqliteMetastore } = await import('../metastore/sqlite/sqlite-metastore.ts');
    return await createSqliteMetastore({
      host,
      path: pathOf(config, 'metastore.path', 'metadata.db'),
      pollIntervalMs: config['metastore.poll_interval'],
      busyTimeoutMs: config['metastore.busy_timeout'],
    });
  },
  memory: async ({ host }) => {
    const { createMemoryMetastore } = await import('../metastore/memory/memory-metastore.ts');
    return createMemoryMetastore({ host });
  },
};

const OBJECT_STORES: Drivers<ObjectStore> = {
  local: async ({ config, host }) => {
    const { createLocalObjectStore } = await import('../object-store/local/local-object-store.ts');
    return await createLocalObjectStore({ host, directory: pathOf(config, 'object_store.path', 'objects') });
  },
  memory: async ({ host }) => {
    const { createMemoryObjectStore } = await import('../object-store/memory/memory-object-store.ts');
    return createMemoryObjectStore({ host });
  },
};

const LOGS: Drivers<Log> = {
  local: async ({ config, host }) => {
    const { createLocalLog } = await import('../log/local/local-log.ts');
    return await createLocalLog({
      host,
      directory: pathOf(config, 'log.path', 'log'),
      fileBytesMax: config['log.file_bytes_max'],
      writeBytesMax: config['log.write_bytes_max'],
      waitingBytesMax: config['log.waiting_bytes_max'],
    });
  },
  memory: async () => {
    const { createMemoryLog } = await import('../log/memory/memory-log.ts');
    return createMemoryLog();
  },
};

export const openMetastore = (context: DriverContext): Promise<Metastore> =>
  open('metastore.type', METASTORES, context);

/** The configured store below its prefix; what fails in passing is tried again, and every try is counted. */
export async function openObjectStore(context: DriverContext, meter: ObjectStoreMeter): Promise<ObjectStore> {
  const { config, host } = context;
  const prefix = config['object_store.prefix'];
  const driver = await open('object_store.type', OBJECT_STORES, context);
  const metered = new MeteredObjectStore(driver, host.clock, meter);
  const store = new RetryingObjectStore(metered, host, { attemptsMax: config['object_store.attempts_max'] });
  return prefix === '' ? store : new PrefixedObjectStore(store, prefix);
}
export const openLog = (context: DriverContext): Promise<Log> => open('log.type', LOGS, context);

/** The configured path, or the name within the data directory; then the rest below it. Absolute. */
export function pathOf(
  config: Config,
  key: 'metastore.path' | 'object_store.path' | 'log.path' | 'cache.path',
  name: string,
  ...rest: readonly string[]
): string {
  return resolve(config[key] === '' ? join(config['data.directory'], name) : config[key], ...rest);
}

async function open<Contract>(
  key: 'metastore.type' | 'object_store.type' | 'log.type',
  drivers: Drivers<Contract>,
  context: DriverContext,
): Promise<Contract> {
  const type = context.config[key];
  const create = Object.hasOwn(drivers, type) ? drivers[type] : undefined;
  if (create === undefined) {
    throw new MishardsError(
      'CONFIG_INVALID',
      `${key} is "${type}"; use one of ${Object.keys(drivers).join(', ')}`,
    );
  }
  return await create(context);
}
