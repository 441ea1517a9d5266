// Bytes a row of every type of index: in its file, in memory once it is open, and of the vectors it stands beside.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { createKernel, type Kernel, type VectorFile, type VectorFormat } from '../../src/kernel/index.ts';
import { sectionsOf } from '../../test/support/container-files.ts';
import { createReport, type Report } from '../support/report.ts';
import { round } from '../support/statistics.ts';
import { loadVectors, type FormVectors } from './form-vectors.ts';
import { indexForms, type IndexForm } from './index-forms.ts';

const HELP = `npm run bench -- kernel-bytes [options]: bytes a row of every type of index
  --rows N      default 100000          --threads N   of builds, default all processors
  --only A,B    types, default all      --seed N      default 1
`;
/** Of a graph: its edges, and which rows are on upper levels. */
const LINK_SECTIONS = ['LNK0', 'ULNK', 'UROW', 'ULVL'];
/** Of a loaded graph and its vectors, less its links, against the vectors. */
const BUDGET = 1.25;
const LOOKS = 3;
const OPEN_APART = join(import.meta.dirname, 'open-apart.ts');

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '100000' },
      threads: { type: 'string', default: String(availableParallelism()) },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [rowCount, threads, seed] = [Number(values.rows), Number(values.threads), Number(values.seed)];
  const only = values.only?.split(',');
  const forms = indexForms().filter(({ name }) => only?.includes(name) ?? true);
  const report = createReport('kernel-bytes', seed);
  await using kernel = createKernel({ threads, queueMax: 1 });
  for (const format of new Set(forms.map((form) => form.format))) {
    const own = forms.filter((form) => form.format === format);
    await weighAll({ kernel, rowCount, threads, seed, report }, format, own);
  }
}

interface Task {
  readonly kernel: Kernel;
  readonly rowCount: number;
  readonly threads: number;
  readonly seed: number;
  readonly report: Report;
}

/** Every form over the same vectors, which go with their directory. */
async function weighAll(task: Task, format: VectorFormat, forms: readonly IndexForm[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mishards-bench-'));
  try {
    const path = join(directory, 'vectors');
    const vectors = await loadVectors(format, task.rowCount, task.seed);
    await task.kernel.writeVectors({ path, ...vectors.shape, vectors: vectors.values });
    using file = await task.kernel.openVectors(path);
    for (const form of forms) {
      const index = await build(task, form, vectors.metric, file, join(directory, 'index'));
      await weigh(task, form, vectors, path, index);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The path of the index, in place of one that was there before; null for a form without a file. */
async function build(
  { kernel, threads, seed }: Task,
  { type, params }: IndexForm,
  metric: FormVectors['metric'],
  vectors: VectorFile,
  path: string,
): Promise<string | null> {
  if (type === null) return null;
  await kernel.buildIndex({ type, metric, vectors, path, params, seed, threads });
  return path;
}

async function weigh(
  { rowCount, report }: Task,
  { name, params }: IndexForm,
  vectors: FormVectors,
  path: string,
  index: string | null,
): Promise<void> {
  const fileBytes = index === null ? 0 : (await stat(index)).size / rowCount;
  const residentBytes = (await residentOf(path, index)) / rowCount;
  const linkBytes = index === null ? 0 : (await linkBytesOf(index)) / rowCount;
  // A mapped file is in memory too once searches have been everywhere in it.
  const memory = vectors.rowBytes + Math.max(fileBytes, residentBytes);
  report({
    index: name,
    ...params,
    data: vectors.name,
    rows: rowCount,
    file_row_bytes: round(fileBytes),
    resident_row_bytes: round(residentBytes),
    peer: 'the vectors alone',
    peer_row_bytes: round(vectors.rowBytes),
    ratio: round(memory / vectors.rowBytes),
    ...(linkBytes > 0 && {
      link_row_bytes: round(linkBytes),
      ratio_less_links: round((memory - linkBytes) / vectors.rowBytes),
      budget: BUDGET,
    }),
  });
}

/** The least of some processes: JavaScript's own memory grows now and then meanwhile. */
async function residentOf(vectors: string, index: string | null): Promise<number> {
  const args = [OPEN_APART, vectors, ...(index === null ? [] : [index])];
  let least = Infinity;
  for (let look = 0; look < LOOKS; look++) {
    const { stdout } = await promisify(execFile)(process.execPath, args);
    least = Math.min(least, Number(stdout));
  }
  return least;
}

async function linkBytesOf(index: string): Promise<number> {
  const sections = sectionsOf(await readFile(index));
  return sections.filter(({ tag }) => LINK_SECTIONS.includes(tag)).reduce((sum, { size }) => sum + size, 0);
}
