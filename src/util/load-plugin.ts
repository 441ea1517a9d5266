import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MishardsError } from '../errors/index.ts';

const NPM = 'npm:';

/** `npm:<package>`, or the path of a file: absolute, or starting with `./` or `../`. */
export function isPluginPath(type: string): boolean {
  return type.startsWith(NPM) || isAbsolute(type) || /^\.\.?\//.test(type);
}

/**
 * The function `exportName` of a third party's module. Packages are looked for from `baseDirectory` (where the configuration
 * file is), then beside this package; relative files are relative to it. Everything that goes wrong is `CONFIG_INVALID` and
 * names the module, the export and the cure.
 */
export async function loadPluginFunction(
  type: string,
  exportName: string,
  baseDirectory: string,
): Promise<(...parameters: never[]) => unknown> {
  const url = type.startsWith(NPM)
    ? resolvePackage(type, type.slice(NPM.length), baseDirectory)
    : pathToFileURL(resolve(baseDirectory, type)).href;
  const module = await importModule(type, url);
  const found = module[exportName];
  if (typeof found === 'function') return found as (...parameters: never[]) => unknown;
  const what = found === undefined ? 'does not export' : `exports a ${typeof found} as`;
  throw invalid(`the module "${type}" ${what} ${exportName}; it must export a function of this name`);
}

function resolvePackage(type: string, name: string, baseDirectory: string): string {
  if (name === '') throw invalid(`"${type}" names no package; write npm:<package>`);
  try {
    return pathToFileURL(createRequire(join(baseDirectory, 'noop.js')).resolve(name)).href;
  } catch {
    return resolveBesideUs(type, name, baseDirectory);
  }
}

/** Also finds packages that offer nothing to `require`. */
function resolveBesideUs(type: string, name: string, baseDirectory: string): string {
  try {
    return import.meta.resolve(name);
  } catch (error) {
    const cure = `install it with: npm install ${name}`;
    throw invalid(`the package of "${type}" is not found from ${baseDirectory}; ${cure}`, error);
  }
}

async function importModule(type: string, url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`the module "${type}" cannot be loaded: ${why}`, error);
  }
}

function invalid(message: string, cause?: unknown): MishardsError {
  return new MishardsError('CONFIG_INVALID', message, { cause });
}
