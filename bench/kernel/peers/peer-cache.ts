import { execFile } from 'node:child_process';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'mishards', 'peers');
const run = promisify(execFile);

/** An npm package that only this bench uses: installed on demand, outside our dependencies. */
export async function npmPackage(name: string, version: string): Promise<unknown> {
  const directory = join(CACHE, `${name.replace(/^@.*\//, '')}-${version}`);
  const require = createRequire(join(directory, 'package.json'));
  await prepare(directory, async () => {
    await writeFile(join(directory, 'package.json'), '{"private":true}');
    await run('npm', ['install', '--silent', `${name}@${version}`], { cwd: directory });
  });
  return require(name);
}

/** A virtual environment of Python with a package of PyPI; returns its interpreter. */
export async function pythonPackage(name: string, version: string): Promise<string> {
  const directory = join(CACHE, `${name}-${version}`);
  const python = join(directory, 'bin', 'python');
  await prepare(directory, async () => {
    await run('python3', ['-m', 'venv', directory]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', `${name}==${version}`]);
  });
  return python;
}

/** Runs `install` in a folder unless it has succeeded there before. */
async function prepare(directory: string, install: () => Promise<void>): Promise<void> {
  const done = join(directory, '.installed');
  const isDone = await access(done).then(
    () => true,
    () => false,
  );
  if (isDone) return;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await install();
  await writeFile(done, '');
}
