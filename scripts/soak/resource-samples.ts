import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { growthOf, type Growth, type Series } from './growth-rule.ts';
import type { Scene } from '../cluster/scene.ts';

const EVERY_MS = 2_000;
const MIB = 2 ** 20;
/** Growth that is the runtime's own: heaps, pools and files of one size more. */
const ALLOWANCES = {
  anonymousMiB: 128,
  descriptors: 24,
  files: 200,
  diskMiB: 64,
} as const;

type Figure = keyof typeof ALLOWANCES;

interface Sample {
  readonly atMs: number;
  /** Of a process, or `data` for the directory of the cluster. */
  readonly subject: string;
  readonly figures: Partial<Record<Figure, number>>;
}

/** Samples memory and descriptors of each process, and files and bytes of the data directory, until disposed. Linux only. */
export class ResourceSamples implements AsyncDisposable {
  readonly #scene: Scene;
  readonly #samples: Sample[] = [];
  readonly #over = new AbortController();
  readonly #done: Promise<void>;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#done = this.#run();
  }

  /** Growth since `sinceMs` of everything that has lived that long: a process started anew since then is left out. */
  growth(sinceMs: number): readonly Growth[] {
    const samples = this.#samples.filter(({ atMs }) => atMs >= sinceMs);
    const first = samples.filter(({ atMs }) => atMs < sinceMs + 2 * EVERY_MS);
    return [...new Set(first.map(({ subject }) => subject))].flatMap((subject) => {
      const own = samples.filter((sample) => sample.subject === subject);
      return (Object.keys(ALLOWANCES) as Figure[]).flatMap((figure) => {
        const values = own.flatMap(({ figures }) => figures[figure] ?? []);
        const isAlive = own.at(-1)!.atMs > this.#samples.at(-1)!.atMs - 2 * EVERY_MS;
        const series: Series = { name: `${subject} ${figure}`, values, allowance: ALLOWANCES[figure] };
        const growth = isAlive ? growthOf(series) : null;
        return growth === null ? [] : [growth];
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#sample();
      await sleep(EVERY_MS, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  async #sample(): Promise<void> {
    const atMs = performance.now();
    for (const { id, pid, addresses } of this.#scene.members()) {
      if (pid === null || addresses === null) continue;
      const figures = await processFigures(pid);
      if (figures !== null) this.#samples.push({ atMs, subject: `${id} (${pid})`, figures });
    }
    this.#samples.push({ atMs, subject: 'data', figures: await directoryFigures(this.#scene.directory) });
  }
}

/** null when the process has ended. */
async function processFigures(pid: number): Promise<Sample['figures'] | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    // Mapped segments are the page cache's: what a process cannot give back is anonymous.
    const kib = Number(/^RssAnon:\s*(\d+) kB/m.exec(status)?.[1]);
    const descriptors = (await readdir(`/proc/${pid}/fd`)).length;
    return { anonymousMiB: Math.round(kib / 1024), descriptors };
  } catch {
    return null;
  }
}

async function directoryFigures(directory: string): Promise<Sample['figures']> {
  const sizes = await fileSizes(directory);
  return { files: sizes.length, diskMiB: Math.round(sizes.reduce((sum, size) => sum + size, 0) / MIB) };
}

/** What goes away meanwhile weighs nothing. */
async function fileSizes(directory: string): Promise<readonly number[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(async (entry): Promise<readonly number[]> => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return await fileSizes(path);
      const found = await stat(path).catch(() => null);
      return found?.isFile() === true ? [found.size] : [];
    }),
  );
  return sizes.flat();
}
