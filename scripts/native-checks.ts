// Compiles the kernel without Node, with its native checks, and runs them under sanitizers:
//   node scripts/native-checks.ts [--sanitize address,thread] [--seed N]
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile, link, NATIVE, run, sourcesOf, type Compiler } from './native/compile.ts';

const SANITIZERS: Readonly<Record<string, readonly string[]>> = {
  address: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
  thread: ['-fsanitize=thread'],
  none: [],
};
const { values } = parseArgs({
  options: { sanitize: { type: 'string', default: 'address' }, seed: { type: 'string', default: '1' } },
});
const found = `-DFUZZ_FOUND="${join(NATIVE, 'fuzz', 'found')}"`;

for (const sanitizer of values.sanitize.split(',')) await check(sanitizer);

async function check(sanitizer: string): Promise<void> {
  const sanitize = SANITIZERS[sanitizer];
  if (sanitize === undefined) throw new RangeError(`--sanitize takes ${Object.keys(SANITIZERS).join(', ')}`);
  const command = [process.env['CXX'] ?? 'c++'];
  await requireSanitizer({ command, flags: sanitize }, sanitizer);
  const compiler: Compiler = { command, flags: ['-O1', found, ...sanitize] };
  const output = join(NATIVE, 'build', `checks-${sanitizer}`);
  const sources = await sourcesOf('src', 'src/simd', 'fuzz', 'test');
  const objects = await compile(
    compiler,
    sources.filter((source) => !source.endsWith('libfuzzer_main.cc')),
    output,
  );
  const binary = join(output, 'checks');
  await link(compiler, objects, binary);
  await run(binary, [values.seed]);
}

/** A compiler without the sanitizer's library would fail later, with less to say. */
async function requireSanitizer(compiler: Compiler, name: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mishards-sanitizer-'));
  try {
    const source = join(directory, 'empty.cc');
    await writeFile(source, 'int main() { return 0; }\n');
    await link(compiler, [source], join(directory, 'empty'));
    await run(join(directory, 'empty'), []);
  } catch (cause) {
    const what = `${compiler.command.join(' ')} cannot make programs with the ${name} sanitizer on this machine`;
    throw new Error(`${what}; install its libraries (Debian: g++ has them) or name another compiler in CXX`, {
      cause,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
