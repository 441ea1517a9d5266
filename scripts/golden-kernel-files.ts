// Writes test/golden/kernel/vN, the kernel's files as this program writes them, for tests of later versions to open:
//   node scripts/golden-kernel-files.ts --version N
// N is the container's version (docs/internals/index-format.md). Run it when a kind of file is new; files that are there are kept.
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createKernel } from '../src/kernel/index.ts';
import { GOLDEN_VERSIONS, readManifest, writeGolden, type GoldenFile } from '../test/golden/kernel-files.ts';

const { values } = parseArgs({ options: { version: { type: 'string' } } });
if (!/^[1-9]\d*$/.test(values.version ?? ''))
  throw new RangeError('--version takes the version of the container');
const folder = join(GOLDEN_VERSIONS, `v${values.version}`);
await mkdir(folder, { recursive: true });
const existing = await readdir(folder);
const kept: GoldenFile[] = existing.includes('manifest.json') ? await readManifest(folder) : [];
const fresh = await mkdtemp(join(tmpdir(), 'mishards-golden-'));
try {
  await using kernel = createKernel({ threads: 1, queueMax: 4, instructionSet: 'scalar' });
  await writeGolden(kernel, fresh);
  const added = (await readManifest(fresh)).filter(({ file }) => !existing.includes(file));
  for (const { file } of added) await copyFile(join(fresh, file), join(folder, file));
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify([...kept, ...added], null, 1)}\n`);
  process.stdout.write(`${added.length} files added to ${kept.length}\n`);
} finally {
  await rm(fresh, { recursive: true, force: true });
}
