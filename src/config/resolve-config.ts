import { configError, type ConfigKey } from './config-key.ts';
import { CONFIG_KEYS, type Config, type ConfigPath } from './config-keys.ts';
import { nearest } from './nearest.ts';
import { MishardsError } from '../errors/index.ts';

/** Where a value came from, e.g. `default`, `mishards.yaml`, `environment MISHARDS_PROXY_PORT`, `flag --set`. */
export type Origins = Readonly<Record<ConfigPath, string>>;

export interface ResolvedConfig {
  readonly config: Config;
  readonly origins: Origins;
}

export interface ConfigSources {
  /** The parsed YAML document and its name; null = no file. */
  readonly file: { readonly name: string; readonly document: unknown } | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `path=value`, as given by `--set`; later ones win. */
  readonly flags: readonly string[];
}

interface Setting {
  readonly path: string;
  readonly raw: unknown;
  readonly origin: string;
}

const ENVIRONMENT_PREFIX = 'MISHARDS_';
const PATHS = Object.keys(CONFIG_KEYS) as ConfigPath[];
const PATH_OF_VARIABLE = new Map(PATHS.map((path) => [environmentName(path), path]));

export function environmentName(path: string): string {
  return ENVIRONMENT_PREFIX + path.replaceAll('.', '_').toUpperCase();
}

/** Defaults, then the file, then the environment, then flags. Every problem is collected into one `CONFIG_INVALID`. */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const path of PATHS) {
    values[path] = CONFIG_KEYS[path].default;
    origins[path] = 'default';
  }
  const problems: string[] = [];
  for (const { path, raw, origin } of [
    ...fileSettings(sources),
    ...environmentSettings(sources),
    ...flagSettings(sources),
  ]) {
    if (!isConfigPath(path)) {
      problems.push(`${origin}: unknown key ${path}${suggestion(path)}`);
      continue;
    }
    try {
      values[path] = (CONFIG_KEYS[path] as ConfigKey<unknown>).read(raw);
      origins[path] = origin;
    } catch (error) {
      problems.push(
        configError(path, origin, `is ${JSON.stringify(raw)} but ${(error as Error).message}`).message,
      );
    }
  }
  if (problems.length > 0) throw new MishardsError('CONFIG_INVALID', problems.join('\n'));
  return { config: Object.freeze(values) as unknown as Config, origins: Object.freeze(origins) as Origins };
}

export function isConfigPath(path: string): path is ConfigPath {
  return Object.hasOwn(CONFIG_KEYS, path);
}

function fileSettings({ file }: ConfigSources): readonly Setting[] {
  if (file === null || file.document === null || file.document === undefined) return [];
  if (!isMapping(file.document))
    throw new MishardsError('CONFIG_INVALID', `${file.name} must hold a mapping of keys`);
  return flatten(file.document, '', file.name);
}

function flatten(
  mapping: Readonly<Record<string, unknown>>,
  prefix: string,
  origin: string,
): readonly Setting[] {
  return Object.entries(mapping).flatMap(([name, raw]): readonly Setting[] => {
    const path = prefix + name;
    return isMapping(raw) && !isConfigPath(path) ? flatten(raw, `${path}.`, origin) : [{ path, raw, origin }];
  });
}

function environmentSettings({ environment }: ConfigSources): readonly Setting[] {
  return Object.entries(environment).flatMap(([name, raw]): readonly Setting[] => {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || raw === undefined) return [];
    return [{ path: PATH_OF_VARIABLE.get(name) ?? name, raw, origin: `environment ${name}` }];
  });
}

function flagSettings({ flags }: ConfigSources): readonly Setting[] {
  return flags.map((setting) => {
    const split = setting.indexOf('=');
    if (split === -1)
      throw new MishardsError('CONFIG_INVALID', `--set ${setting} must have the form key=value`);
    return { path: setting.slice(0, split), raw: setting.slice(split + 1), origin: 'flag --set' };
  });
}

function suggestion(path: string): string {
  const known = path.startsWith(ENVIRONMENT_PREFIX) ? [...PATH_OF_VARIABLE.keys()] : PATHS;
  const near = nearest(path, known);
  return near === null ? '' : `; did you mean ${near}?`;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
