import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'mishards', 'peers');

/** A package that only this bench uses: installed on demand, outside our dependencies. */
export async function npmPackage(name: string, version: string): Promise<unknown> {
  const directory = join(CACHE, `${name}-${version}`);
  const require = createRequire(join(directory, 'package.json'));
  try {
    return require(name);
  } catch {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'package.json'), '{"private":true}');
    await promisify(execFile)('npm', ['install', '--silent', `${name}@${version}`], { cwd: directory });
    return require(name);
  }
}
