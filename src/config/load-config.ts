import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { resolveConfig, type ConfigSources, type ResolvedConfig } from './resolve-config.ts';
import { MishardsError } from '../errors/index.ts';

/** Reads the file (null = none), `MISHARDS_*` of the environment, and `--set` flags. The only place that reads the environment. */
export function loadConfig(path: string | null, flags: readonly string[]): ResolvedConfig {
  return resolveConfig({ file: path === null ? null : readYaml(path), environment: process.env, flags });
}

function readYaml(path: string): ConfigSources['file'] {
  try {
    return { name: basename(path), document: parse(readFileSync(path, 'utf8')) as unknown };
  } catch (error) {
    throw new MishardsError(
      'CONFIG_INVALID',
      `cannot read the configuration ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
