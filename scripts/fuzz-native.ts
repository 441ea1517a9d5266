// Fuzzes the kernel with libFuzzer under the address and undefined-behaviour sanitizers:
//   npm run fuzz:native -- [--seconds N] [--targets A,B] [--seed N]
// Every target runs for N seconds (default 60). Inputs that were worth keeping stay in native/build/fuzz/corpus for the next run; one
// that breaks something is written to native/build/fuzz/broken and ends the run: keep it in native/fuzz/found/TARGET.
import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';
import { findClang } from './native/clang.ts';
import { compile, link, NATIVE, sourcesOf, type Compiler } from './native/compile.ts';

const TARGETS = ['vectors', 'index', 'search', 'build'];
const OUTPUT = join(NATIVE, 'build', 'fuzz');
const SANITIZERS = 'address,undefined';
/** Of what libFuzzer says, for a failure. */
const LINES_KEPT = 120;
/** Files of the seeds are well below it; longer inputs find nothing that shorter ones do not. */
const INPUT_BYTES_MAX = 65_536;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    targets: { type: 'string', default: TARGETS.join(',') },
    seed: { type: 'string', default: '1' },
  },
});
const targets = values.targets.split(',');
const unknown = targets.find((target) => !TARGETS.includes(target));
if (unknown !== undefined) throw new RangeError(`--targets names ${unknown}; known: ${TARGETS.join(', ')}`);

const clang = await findClang();
const optimise = ['-O1', '-fno-omit-frame-pointer', '-fno-sanitize-recover=all'];
const compiler: Compiler = { ...clang, flags: [...optimise, `-fsanitize=fuzzer-no-link,${SANITIZERS}`] };
const linker: Compiler = { ...clang, flags: [...optimise, `-fsanitize=fuzzer,${SANITIZERS}`] };
const sources = (await sourcesOf('src', 'src/simd', 'fuzz')).filter(
  (source) => !source.endsWith('libfuzzer_main.cc'),
);
const objects = await compile(compiler, sources, OUTPUT);
let inputs = 0;
for (const target of targets) inputs += await fuzz(target);
process.stdout.write(`${inputs} inputs, no failure\n`);

/** Returns the number of inputs that ran. Throws when one of them broke something. */
async function fuzz(target: string): Promise<number> {
  const flags = [...compiler.flags, `-DFUZZ_TARGET=k${target[0]!.toUpperCase()}${target.slice(1)}Target`];
  const entry = await compile(
    { ...clang, flags },
    [join(NATIVE, 'fuzz', 'libfuzzer_main.cc')],
    join(OUTPUT, target),
  );
  const binary = join(OUTPUT, target, 'fuzz');
  await link(linker, [...objects, ...entry], binary);
  const [corpus, seeds, broken] = ['corpus', 'seeds', 'broken'].map((folder) => join(OUTPUT, folder, target));
  const folders = [corpus!, seeds!, join(NATIVE, 'fuzz', 'found', target)];
  for (const folder of [corpus!, seeds!, broken!]) await mkdir(folder, { recursive: true });
  const known = (await readdir(corpus!)).length;
  process.stdout.write(`${target}: ${values.seconds} s, ${known} inputs kept by earlier runs\n`);
  const options = {
    max_total_time: values.seconds,
    max_len: INPUT_BYTES_MAX,
    seed: values.seed,
    timeout: 20,
    rss_limit_mb: 3000,
    print_final_stats: 1,
    verbosity: 0,
    artifact_prefix: `${broken!}/`,
  };
  const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
  const extra = {
    FUZZ_SEEDS: seeds!,
    UBSAN_OPTIONS: 'print_stacktrace=1',
    ASAN_SYMBOLIZER_PATH: await symbolizer(),
  };
  const env = { ...process.env, ...clang.env, ...extra };
  const existing = await Promise.all(folders.map((folder) => readdir(folder).catch(() => undefined)));
  const given = folders.filter((_, index) => existing[index] !== undefined);
  return runFuzzer(target, binary, [...args, ...given], env);
}

/** A tool that names the functions of a stack; '' leaves them as addresses. */
async function symbolizer(): Promise<string> {
  for (const tool of ['llvm-symbolizer', 'addr2line']) {
    const found = await promisify(execFile)('which', [tool]).catch(() => undefined);
    if (found !== undefined) return found.stdout.trim();
  }
  return '';
}

async function runFuzzer(
  target: string,
  binary: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(binary, args, { env, stdio: ['ignore', 'inherit', 'pipe'] });
  const ended = new Promise<unknown>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  let executed = 0;
  const last: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    executed = Number(/^stat::number_of_executed_units:\s*(\d+)/.exec(line)?.[1] ?? executed);
    last.push(line);
    if (last.length > LINES_KEPT) last.shift();
  }
  const code = await ended;
  if (code !== 0) {
    process.stdout.write(`${last.join('\n')}\n`);
    throw new Error(`fuzzing ${target} ended with ${String(code)}; its input is in native/build/fuzz/broken`);
  }
  if (executed === 0) throw new Error(`fuzzing ${target} ran no input`);
  process.stdout.write(`${target}: ${executed} inputs\n`);
  return executed;
}
