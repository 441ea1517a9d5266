// Compiles the kernel without Node, with its native checks, and runs them under sanitizers:
//   node scripts/native-checks.ts [--sanitize address|thread|none] [--seed N]
import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const SANITIZERS: Readonly<Record<string, readonly string[]>> = {
  address: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
  thread: ['-fsanitize=thread'],
  none: [],
};
const { values } = parseArgs({
  options: { sanitize: { type: 'string', default: 'address' }, seed: { type: 'string', default: '1' } },
});
const flags = SANITIZERS[values.sanitize];
if (flags === undefined) throw new RangeError(`--sanitize takes ${Object.keys(SANITIZERS).join(', ')}`);
const native = join(import.meta.dirname, '..', 'native');
const output = join(native, 'build', `checks-${values.sanitize}`);
await mkdir(output, { recursive: true });

const sources: string[] = [];
for (const folder of ['src', 'src/simd', 'test']) {
  const names = await readdir(join(native, folder));
  sources.push(...names.filter((name) => name.endsWith('.cc')).map((name) => join(native, folder, name)));
}
const common = ['-std=c++20', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-ffp-contract=off', ...flags];
const includes = ['-I', join(native, 'src'), '-I', join(native, 'test')];
const objects = sources.map((_, index) => join(output, `${index}.o`));
const waiting = sources.map((source, index) => ['-c', source, '-o', objects[index]!]);
const compilers = Array.from({ length: availableParallelism() }, async () => {
  for (let job = waiting.pop(); job !== undefined; job = waiting.pop()) {
    await run(process.env['CXX'] ?? 'c++', [...common, ...includes, ...job]);
  }
});
await Promise.all(compilers);
const binary = join(output, 'checks');
await run(process.env['CXX'] ?? 'c++', [...common, ...objects, '-o', binary, '-pthread']);
await run(binary, [values.seed]);

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit' });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}`);
}
