import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'mishards', 'clang');
/** Newest first. */
const VERSIONS = [19, 18, 17, 16, 15, 14];
/** Parts of Debian's clang that compile for other processors or languages. */
const UNNEEDED = /^(lib32|libc6-i386|libobjc|libgc1|libclang1-)/;

const execute = promisify(execFile);

/**
 * A clang++ with libFuzzer: the one of CXX or of the system, else Debian's, unpacked into a cache folder without root. Throws
 * with what was missing.
 */
export async function findClang(): Promise<{
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}> {
  const own = [process.env['CXX'], 'clang++', ...VERSIONS.map((version) => `clang++-${version}`)];
  for (const name of own) {
    if (name !== undefined && (await makesFuzzers([name]))) return { command: [name] };
  }
  const kept: string[] = await readdir(CACHE).catch(() => []);
  for (const version of VERSIONS) {
    const root = join(CACHE, String(version));
    if (!kept.includes(String(version))) continue;
    return unpackedClang(root, version);
  }
  return fetchClang();
}

/** Debian's packages, by its own client with lists and cache of their own, so that neither root nor an update is needed. */
async function fetchClang(): Promise<Awaited<ReturnType<typeof findClang>>> {
  for (const tool of ['apt-get', 'dpkg']) {
    await execute(tool, ['--version']).catch((cause: unknown) => {
      const cure = 'install clang++ with libFuzzer (compiler-rt) and name it in CXX';
      throw new Error(`this machine has no clang++ with libFuzzer and no ${tool} to get one; ${cure}`, { cause });
    });
  }
  const work = await mkdtemp(join(tmpdir(), 'mishards-clang-'));
  try {
    const state = join(work, 'lists');
    const cache = join(work, 'cache');
    await mkdir(join(state, 'partial'), { recursive: true });
    await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
    const options = ['-o', `Dir::State::lists=${state}`, '-o', `Dir::Cache=${cache}`, '-o', 'Debug::NoLocking=1'];
    process.stdout.write("fetching Debian's clang into node_modules/.cache\n");
    await execute('apt-get', [...options, 'update']);
    for (const version of VERSIONS) {
      const packages = await wantedPackages(options, version);
      if (packages === undefined) continue;
      const root = join(work, 'root');
      await execute('apt-get', [...options, 'download', ...packages], { cwd: work });
      const archives = (await readdir(work)).filter((name) => name.endsWith('.deb'));
      for (const archive of archives) await execute('dpkg', ['-x', join(work, archive), root]);
      await mkdir(CACHE, { recursive: true });
      const target = join(CACHE, String(version));
      await rm(target, { recursive: true, force: true });
      await moveFolder(root, target);
      return await unpackedClang(target, version);
    }
    throw new Error(`none of clang ${VERSIONS.join(', ')} is among this machine's packages`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What clang needs that is not installed; undefined where there is no such version. */
async function wantedPackages(options: readonly string[], version: number): Promise<string[] | undefined> {
  const names = [`clang-${version}`, `libclang-rt-${version}-dev`];
  const simulate = [...options, '--simulate', '--no-install-recommends', 'install', ...names];
  const { stdout } = await execute('apt-get', simulate).catch(() => ({ stdout: '' }));
  const found = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!);
  return found.length === 0 ? undefined : found.filter((name) => !UNNEEDED.test(name));
}

async function moveFolder(from: string, to: string): Promise<void> {
  await rename(from, to).catch(() => execute('cp', ['-a', from, to]));
}

async function unpackedClang(
  root: string,
  version: number,
): Promise<Awaited<ReturnType<typeof findClang>>> {
  const home = join(root, 'usr', 'lib', `llvm-${version}`);
  const libraries = [join(home, 'lib')];
  for (const folder of await readdir(join(root, 'usr', 'lib'))) {
    if (folder.includes('linux-gnu')) libraries.push(join(root, 'usr', 'lib', folder));
  }
  const command = [join(home, 'bin', 'clang++')];
  const env = { LD_LIBRARY_PATH: libraries.join(':') };
  if (await makesFuzzers(command, env)) return { command, env };
  throw new Error(`the clang unpacked at ${root} makes no fuzzers here; remove that folder to fetch it again`);
}

async function makesFuzzers(command: readonly string[], env?: NodeJS.ProcessEnv): Promise<boolean> {
  const [program, ...always] = command;
  const directory = await mkdtemp(join(tmpdir(), 'mishards-fuzzer-'));
  const source = join(directory, 'empty.cc');
  try {
    const entry = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n';
    await writeFile(source, `#include <cstdint>\n${entry}`);
    const flags = ['-std=c++20', '-fsanitize=fuzzer,address,undefined', source, '-o', join(directory, 'empty')];
    await execute(program!, [...always, ...flags], { env: { ...process.env, ...env } });
    await access(join(directory, 'empty'));
    return true;
  } catch {
    return false;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
