import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import { ENTRY_BYTES, HEADER_BYTES, sectionsOf, signed } from '../../test/support/container-files.ts';
import { randomValues, shapeOf } from '../../test/support/formats.ts';
import { testSeed } from '../../test/support/seed.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../test/support/temporary-directory.ts';
import { searchOf, wholeSource, writeAndOpen } from '../../test/support/vectors.ts';
import type {
  BuildIndexOptions,
  Kernel,
  KernelMetric,
  VectorFile,
  VectorFormat,
  VectorIndex,
} from './kernel.ts';
import { createKernel } from './native-kernel.ts';
import { metricsOf } from './vectors.ts';

const ROWS = 300;
const BM25 = { k1: 1.2, b: 0.75, averageLength: 20 };

console.log(`seed ${testSeed}`);

type Index = Pick<BuildIndexOptions, 'type' | 'params' | 'metric'>;

/** Every kind of file that is not over float32 vectors: the format, and how its index is built. */
const KINDS: Readonly<Record<string, readonly [VectorFormat, Index | null]>> = {
  'float16 vectors': ['float16', null],
  'int8 vectors': ['int8', null],
  'binary vectors': ['binary', null],
  'sparse vectors': ['sparse', null],
  'int8 HNSW': ['int8', { type: 'HNSW', metric: 'COSINE', params: { M: 4, efConstruction: 20 } }],
  'float16 DISKANN': ['float16', { type: 'DISKANN', metric: 'L2', params: { max_degree: 5 } }],
  SPARSE_INVERTED_INDEX: ['sparse', { type: 'SPARSE_INVERTED_INDEX', metric: 'BM25', params: {} }],
  BIN_IVF_FLAT: ['binary', { type: 'BIN_IVF_FLAT', metric: 'JACCARD', params: { nlist: 7 } }],
  SPARSE_WAND: ['sparse', { type: 'SPARSE_WAND', metric: 'IP', params: {} }],
};

const isCorrupt = (error: unknown): boolean => isErrorWithCode(error, 'CORRUPT_DATA');

describe('damaged files of every format', () => {
  let directory: TemporaryDirectory;
  let kernel: Kernel;
  const vectors = new Map<VectorFormat, VectorFile>();
  const good = new Map<string, Buffer>();

  before(async () => {
    directory = await temporaryDirectory();
    kernel = createKernel({ threads: 2, queueMax: 1000 });
    for (const [kind, [format, index]] of Object.entries(KINDS)) {
      if (!vectors.has(format)) vectors.set(format, await someVectors(format));
      const path = directory.file(index === null ? format : 'index');
      if (index !== null)
        await kernel.buildIndex({ ...index, vectors: vectors.get(format)!, path, seed: 1, threads: 1 });
      good.set(kind, await readFile(path));
    }
  });

  after(async () => {
    for (const file of vectors.values()) file[Symbol.dispose]();
    await kernel[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  function someVectors(format: VectorFormat): Promise<VectorFile> {
    const shape = shapeOf(format, 20);
    const values = randomValues(new SeededRandom(1), shape, ROWS);
    return writeAndOpen(kernel, directory.path, values, shape.dim, format, format);
  }

  async function open(kind: string, bytes: Uint8Array): Promise<VectorFile | VectorIndex> {
    const [format, index] = KINDS[kind]!;
    const path = directory.file('damaged');
    await writeFile(path, bytes);
    return index === null ? kernel.openVectors(path) : kernel.openIndex(path, vectors.get(format)!);
  }

  async function refuse(kind: string, bytes: Uint8Array, what: string): Promise<void> {
    await assert.rejects(open(kind, bytes), isCorrupt, what);
  }

  async function searchSome(data: VectorFile | VectorIndex, random: SeededRandom): Promise<void> {
    const metrics: readonly KernelMetric[] = data.kind === 'index' ? [data.metric] : metricsOf(data.format);
    for (const metric of metrics) {
      const queries = randomValues(random, data, 3);
      const bm25 = metric === 'BM25' ? { bm25: BM25 } : {};
      const { format, dim } = data;
      await kernel.search(searchOf({ sources: [wholeSource(data)], queries, format, dim, metric, ...bm25 }));
    }
  }

  for (const kind of Object.keys(KINDS)) {
    test(`${kind}: the undamaged bytes open and are searched, also signed anew`, async () => {
      using opened = await open(kind, good.get(kind)!);
      assert.equal(opened.rowCount, ROWS);
      await searchSome(opened, new SeededRandom(2));
      (await open(kind, signed(Buffer.from(good.get(kind)!))))[Symbol.dispose]();
    });

    test(`${kind}: any flipped bit and any cut is refused`, async () => {
      const random = new SeededRandom(testSeed);
      const bytes = good.get(kind)!;
      const sections = sectionsOf(bytes);
      const heads = Array.from({ length: sections.length * ENTRY_BYTES + HEADER_BYTES }, (_, at) => at);
      const others = Array.from({ length: 150 }, () => random.below(bytes.length));
      for (const at of [...heads, ...others]) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 1 << random.below(8);
        await refuse(kind, damaged, `byte ${at}`);
      }
      const cuts = sections.flatMap(({ offset, size }) => [offset - 1, offset, offset + size - 1]);
      for (const cut of [0, 63, 64, bytes.length - 64, bytes.length - 1, ...cuts]) {
        if (cut < bytes.length) await refuse(kind, bytes.subarray(0, cut), `cut at ${cut}`);
      }
      await refuse(kind, Buffer.concat([bytes, Buffer.alloc(64)]), 'longer');
    });

    test(`${kind}: random bytes under right checksums are refused or harmless`, async () => {
      const random = new SeededRandom(testSeed);
      for (let round = 0; round < 150; round++) {
        const damaged = Buffer.from(good.get(kind)!);
        const { offset, size } = sectionsOf(damaged)[random.below(sectionsOf(damaged).length)]!;
        for (let change = 0; change < 3 && size > 0; change++) {
          damaged[offset + random.below(size)] = random.below(256);
        }
        try {
          using opened = await open(kind, signed(damaged));
          await searchSome(opened, random);
        } catch (error) {
          if (!isErrorWithCode(error, 'CORRUPT_DATA', 'PARAMETER_INVALID')) throw error;
        }
      }
    });
  }

  const hostile: readonly [string, string, string, number, number][] = [
    ['float16 vectors', 'a format that does not exist', 'META', 8, 6],
    ['float16 vectors', 'a format without a number', 'META', 8, 0],
    ['float16 vectors', 'another format of the same size', 'META', 12, 1],
    ['float16 vectors', 'no dimensions', 'META', 4, 0],
    ['float16 vectors', 'more rows than there are', 'META', 0, ROWS + 1],
    ['binary vectors', 'a dimension within a byte', 'META', 4, 159],
    ['sparse vectors', 'a dimension', 'META', 4, 1],
    ['sparse vectors', 'rows that do not begin with 0', 'OFFS', 0, 1],
    ['sparse vectors', 'a row past the end', 'OFFS', 4, 0xffff],
    ['sparse vectors', 'rows that do not end with the entries', 'OFFS', 4 * ROWS, 1],
    ['sparse vectors', 'a dimension that is none', 'DIMS', 0, 0xffff_ffff],
    ['sparse vectors', 'a value that is not a number', 'VECS', 0, 0x7fc0_0000],
    ['sparse vectors', 'an infinite value', 'VECS', 0, 0x7f80_0000],
    ['float16 DISKANN', 'an unknown metric', 'META', 0, 3],
    ['float16 DISKANN', 'another row count', 'META', 4, ROWS - 1],
    ['float16 DISKANN', 'another dimension', 'META', 8, 19],
    ['float16 DISKANN', 'other vectors', 'META', 12, 1],
    ['float16 DISKANN', 'no links', 'META', 16, 0],
    ['float16 DISKANN', 'more links than any', 'META', 16, 513],
    ['float16 DISKANN', 'no candidates', 'META', 20, 0],
    ['float16 DISKANN', 'an entry point past the last row', 'META', 24, ROWS],
    ['float16 DISKANN', 'codes without parts', 'META', 28, 0],
    ['float16 DISKANN', 'codes of more parts than dimensions', 'META', 28, 21],
    ['float16 DISKANN', 'an error that is not a number', 'META', 32, 0x7fc0_0000],
    ['float16 DISKANN', 'reserved bytes', 'META', 36, 1],
    ['float16 DISKANN', 'bytes after its numbers', 'META', 64, 1],
    ['float16 DISKANN', 'another vector in a node', 'NODE', 0, 0x1234_5678],
    ['float16 DISKANN', 'a link past the last row', 'NODE', 40, ROWS],
    ['float16 DISKANN', 'a link after the end of a list', 'NODE', 40, 0xffff_ffff],
    ['float16 DISKANN', 'bytes between pages', 'NODE', 4092, 1],
    ['float16 DISKANN', 'a mean that is not a number', 'MEAN', 0, 0x7fc0_0000],
    ['float16 DISKANN', 'an infinite bias', 'FACT', 0, 0x7f80_0000],
    ['float16 DISKANN', 'a centre of codes that is not a number', 'BOOK', 0, 0x7fc0_0000],
    ['BIN_IVF_FLAT', 'a metric of other vectors', 'META', 0, 0],
    ['BIN_IVF_FLAT', 'another dimension', 'META', 8, 8],
    ['BIN_IVF_FLAT', 'no lists', 'META', 16, 0],
    ['BIN_IVF_FLAT', 'more lists than were asked for', 'META', 16, 8],
    ['BIN_IVF_FLAT', 'more lists than any', 'META', 20, 65_537],
    ['BIN_IVF_FLAT', 'lists that do not begin with 0', 'LOFF', 0, 1],
    ['BIN_IVF_FLAT', 'lists that overlap', 'LOFF', 4, 0xffff],
    ['BIN_IVF_FLAT', 'a row past the last', 'ROWS', 0, ROWS],
    ['BIN_IVF_FLAT', 'another row than its vector', 'BITS', 0, 0x1234_5678],
    ['SPARSE_INVERTED_INDEX', 'a metric of other vectors', 'META', 0, 0],
    ['SPARSE_INVERTED_INDEX', 'another row count', 'META', 4, ROWS - 1],
    ['SPARSE_INVERTED_INDEX', 'more dimensions than there are', 'META', 8, 0xffff_ffff],
    ['SPARSE_INVERTED_INDEX', 'other vectors', 'META', 12, 1],
    ['SPARSE_INVERTED_INDEX', 'an unknown algorithm', 'META', 16, 3],
    ['SPARSE_INVERTED_INDEX', 'more entries than the vectors', 'META', 24, 0x7fff_ffff],
    ['SPARSE_INVERTED_INDEX', 'reserved bytes', 'META', 40, 1],
    ['SPARSE_INVERTED_INDEX', 'dimensions that do not ascend', 'TERM', 4, 0],
    ['SPARSE_INVERTED_INDEX', 'postings that do not begin with 0', 'TOFF', 0, 1],
    ['SPARSE_INVERTED_INDEX', 'postings that overlap', 'TOFF', 4, 0x7fff_ffff],
    ['SPARSE_INVERTED_INDEX', 'a dimension without postings', 'TOFF', 4, 0],
    ['SPARSE_INVERTED_INDEX', 'a row past the last', 'ROWS', 0, ROWS],
    ['SPARSE_INVERTED_INDEX', 'rows that do not ascend', 'ROWS', 4, 0],
    ['SPARSE_INVERTED_INDEX', 'a value that is not a number', 'VALS', 0, 0x7fc0_0000],
    ['SPARSE_INVERTED_INDEX', 'a frequency below 0', 'VALS', 0, 0xbf80_0000],
  ];
  for (const [kind, what, tag, at, value] of hostile) {
    test(`${kind}: ${what}, under right checksums, is refused`, async () => {
      const damaged = Buffer.from(good.get(kind)!);
      const section = sectionsOf(damaged).find((candidate) => candidate.tag === tag)!;
      damaged.writeUInt32LE(value, section.offset + at);
      await refuse(kind, signed(damaged), what);
    });
  }

  test('an index is refused over vectors of another format', async () => {
    const path = directory.file('damaged');
    await writeFile(path, good.get('SPARSE_WAND')!);
    await assert.rejects(kernel.openIndex(path, vectors.get('int8')!), isCorrupt);
    await writeFile(path, good.get('int8 HNSW')!);
    await assert.rejects(kernel.openIndex(path, vectors.get('sparse')!), isCorrupt);
  });
});
