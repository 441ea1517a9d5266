import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { isErrorWithCode } from '../errors/index.ts';
import { SeededRandom } from '../host/index.ts';
import { ENTRY_BYTES, HEADER_BYTES, sectionsOf, signed } from '../../test/support/container-files.ts';
import { testSeed } from '../../test/support/seed.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../test/support/temporary-directory.ts';
import { randomVectors, searchOf, wholeSource, writeAndOpen } from '../../test/support/vectors.ts';
import type { BuildIndexOptions, Kernel, VectorFile, VectorIndex } from './kernel.ts';
import { createKernel } from './native-kernel.ts';

const DIM = 20;
const ROWS = 300;

console.log(`seed ${testSeed}`);

/** Every kind of file, with how its index is built. */
const INDEXES = {
  HNSW: { type: 'HNSW', params: { M: 4, efConstruction: 20 } },
  HNSW_SQ: { type: 'HNSW_SQ', params: { M: 4, efConstruction: 20, sq_type: 'SQ4U', refine: true } },
  IVF_FLAT: { type: 'IVF_FLAT', params: { nlist: 7 } },
  IVF_SQ8: { type: 'IVF_SQ8', params: { nlist: 7 } },
  IVF_PQ: { type: 'IVF_PQ', params: { nlist: 7, m: 5 } },
  IVF_RABITQ: { type: 'IVF_RABITQ', params: { nlist: 7, refine: true } },
  SCANN: { type: 'SCANN', params: { nlist: 7 } },
} as const satisfies Readonly<Record<string, Pick<BuildIndexOptions, 'type' | 'params'>>>;
type Kind = 'vectors' | keyof typeof INDEXES;
const INDEX_KINDS = Object.keys(INDEXES) as (keyof typeof INDEXES)[];
const KINDS: readonly Kind[] = ['vectors', ...INDEX_KINDS];

const isCorrupt = (error: unknown): boolean => isErrorWithCode(error, 'CORRUPT_DATA');

describe('damaged files', () => {
  let directory: TemporaryDirectory;
  let kernel: Kernel;
  let vectors: VectorFile;
  const good: Record<string, Buffer> = {};

  before(async () => {
    directory = await temporaryDirectory();
    kernel = createKernel({ threads: 2, queueMax: 1000 });
    vectors = await writeAndOpen(kernel, directory.path, randomVectors(new SeededRandom(1), ROWS, DIM), DIM);
    good['vectors'] = await readFile(directory.file('vectors'));
    for (const kind of INDEX_KINDS) {
      const path = directory.file(kind);
      await kernel.buildIndex({ ...INDEXES[kind], metric: 'L2', vectors, path, seed: 1, threads: 1 });
      good[kind] = await readFile(path);
    }
  });

  after(async () => {
    vectors[Symbol.dispose]();
    await kernel[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const openFile = (kind: Kind, path: string): Promise<VectorFile | VectorIndex> =>
    kind === 'vectors' ? kernel.openVectors(path) : kernel.openIndex(path, vectors);

  async function open(kind: Kind, bytes: Uint8Array): Promise<void> {
    const path = directory.file('damaged');
    await writeFile(path, bytes);
    using opened = await openFile(kind, path);
    assert.equal(opened.rowCount, ROWS);
  }

  for (const kind of KINDS) {
    test(`${kind}: the undamaged bytes open, also signed anew`, async () => {
      await open(kind, good[kind]!);
      await open(kind, signed(Buffer.from(good[kind]!)));
    });

    test(`${kind}: cut anywhere around a section, or longer, is refused`, async () => {
      const bytes = good[kind]!;
      const cuts = sectionsOf(bytes).flatMap(({ offset, size }) => [
        offset - 1,
        offset,
        offset + 1,
        offset + size - 1,
      ]);
      for (const cut of [0, 1, 63, 64, 65, bytes.length - 64, bytes.length - 1, ...cuts]) {
        if (cut === bytes.length) continue;
        await assert.rejects(open(kind, bytes.subarray(0, cut)), isCorrupt, `cut at ${cut}`);
      }
      await assert.rejects(open(kind, Buffer.concat([bytes, Buffer.alloc(1)])), isCorrupt);
      await assert.rejects(open(kind, Buffer.concat([bytes, Buffer.alloc(64)])), isCorrupt);
    });

    test(`${kind}: any flipped bit is refused`, async () => {
      const random = new SeededRandom(testSeed);
      const bytes = good[kind]!;
      const heads = Array.from(
        { length: sectionsOf(bytes).length * ENTRY_BYTES + HEADER_BYTES },
        (_, at) => at,
      );
      const others = Array.from({ length: 150 }, () => random.below(bytes.length));
      for (const at of [...heads, ...others]) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 1 << random.below(8);
        await assert.rejects(open(kind, damaged), isCorrupt, `byte ${at}`);
      }
    });

    test(`${kind}: random bytes under right checksums are refused or harmless`, async () => {
      const random = new SeededRandom(testSeed);
      for (let round = 0; round < 200; round++) {
        const damaged = Buffer.from(good[kind]!);
        const sections = sectionsOf(damaged);
        const { offset, size } = sections[random.below(sections.length)]!;
        for (let change = 0; change < 3 && size > 0; change++) {
          damaged[offset + random.below(size)] = random.below(256);
        }
        const path = directory.file('hostile');
        await writeFile(path, signed(damaged));
        try {
          using opened = await openFile(kind, path);
          const queries = randomVectors(random, 5, DIM);
          await kernel.search(searchOf({ sources: [wholeSource(opened)], queries, dim: DIM }));
        } catch (error) {
          if (!isErrorWithCode(error, 'CORRUPT_DATA', 'PARAMETER_INVALID')) throw error;
        }
      }
    });
  }

  type Damage = readonly [what: string, tag: string, at: number, value: number];
  const hostile: Partial<Readonly<Record<keyof typeof INDEXES, readonly Damage[]>>> = {
    HNSW: [
      ['a link past the last row', 'LNK0', 0, ROWS],
      ['the end mark in the middle of a list', 'LNK0', 0, 0xffffffff],
      ['an upper node past the last row', 'UROW', 0, ROWS],
      ['a level above the top', 'ULVL', 0, 0x1f1f1f1f],
      ['an upper link past the last upper node', 'ULNK', 0, ROWS],
      ['a metric that does not exist', 'META', 0, 3],
      ['another row count', 'META', 4, ROWS - 1],
      ['other vectors', 'META', 12, 1],
      ['a degree of 0', 'META', 16, 0],
      ['links wider than any', 'META', 20, 0x7fffffff],
      ['codes of 5 bits', 'META', 24, 5],
      ['an upper entry point past the last', 'META', 32, ROWS],
      ['an entry point past the last', 'META', 36, ROWS],
      ['more levels than there are', 'META', 40, 31],
      ['a mean that is not a number', 'MEAN', 0, 0x7fc00000],
      ['a code factor that is not a number', 'CODE', 20, 0x7fc00000],
    ],
    IVF_FLAT: [
      ['a metric that does not exist', 'META', 0, 3],
      ['another row count', 'META', 4, ROWS - 1],
      ['another dimension', 'META', 8, DIM - 1],
      ['other vectors', 'META', 12, 1],
      ['lists of a kind that does not exist', 'META', 16, 5],
      ['lists of a kind that has other sections', 'META', 16, 3],
      ['a code error that is not a number', 'META', 40, 0x7fc00000],
      ['more lists than there are', 'META', 20, 8],
      ['no list', 'META', 20, 0],
      ['fewer lists asked for than there are', 'META', 24, 1],
      ['a list that begins after its end', 'LOFF', 4, ROWS],
      ['a first list that does not begin at 0', 'LOFF', 0, 1],
      ['lists of too few rows', 'LOFF', 28, ROWS - 1],
      ['a row past the last', 'ROWS', 0, ROWS],
      ['a centre that is not a number', 'CENT', 8, 0x7fc00000],
      ['a mean that is not a number', 'MEAN', 0, 0x7fc00000],
    ],
    HNSW_SQ: [['a graph of a kind that does not exist', 'META', 60, 4]],
    IVF_SQ8: [
      ['a mean of codes that is not a number', 'QMEA', 0, 0x7fc00000],
      ['a code factor that is not a number', 'CODE', DIM, 0x7fc00000],
      ["a list's scale that is not a number", 'SCAL', 0, 0x7fc00000],
    ],
    IVF_PQ: [
      ['codes of no parts', 'META', 28, 0],
      ['codes of more parts than dimensions', 'META', 28, DIM + 1],
      ['codes of other parts', 'META', 28, 4],
      ['codes of 7 bits', 'META', 32, 7],
      ['a centre of codes that is not a number', 'BOOK', 4, 0x7fc00000],
      ['an infinite bias', 'FACT', 0, 0x7f800000],
    ],
    IVF_RABITQ: [
      ['an infinite scale', 'FACT', 0, 0x7f800000],
      ['a bias that is not a number', 'FACT', 128, 0x7fc00000],
    ],
    SCANN: [
      ['codes of 8 bits', 'META', 32, 8],
      ['a centre of codes that is not a number', 'BOOK', 0, 0x7fc00000],
    ],
  };
  for (const kind of INDEX_KINDS) {
    for (const [what, tag, at, value] of hostile[kind] ?? []) {
      test(`${kind}: ${what}, under right checksums, is refused`, async () => {
        const damaged = Buffer.from(good[kind]!);
        const section = sectionsOf(damaged).find((candidate) => candidate.tag === tag)!;
        damaged.writeUInt32LE(value, section.offset + at);
        await assert.rejects(open(kind, signed(damaged)), isCorrupt);
      });
    }
  }

  test('IVF_FLAT: a row in two lists, under right checksums, is refused', async () => {
    const damaged = Buffer.from(good['IVF_FLAT']!);
    const { offset } = sectionsOf(damaged).find(({ tag }) => tag === 'ROWS')!;
    damaged.writeUInt32LE(damaged.readUInt32LE(offset), offset + 4);
    await assert.rejects(open('IVF_FLAT', signed(damaged)), isCorrupt);
  });

  test('an index over other vectors, another kind of file and a missing file are refused', async () => {
    using other = await writeAndOpen(
      kernel,
      directory.path,
      randomVectors(new SeededRandom(2), ROWS, DIM),
      DIM,
      'other',
    );
    for (const kind of INDEX_KINDS) {
      await assert.rejects(kernel.openIndex(directory.file(kind), other), isCorrupt);
      await assert.rejects(kernel.openVectors(directory.file(kind)), isCorrupt);
      await copyFile(directory.file(kind), directory.file('copy'));
      using copy = await kernel.openIndex(directory.file('copy'), vectors);
      assert.deepEqual([copy.rowCount, copy.type], [ROWS, kind]);
    }
    await assert.rejects(kernel.openIndex(directory.file('vectors'), vectors), isCorrupt);
    const missing = (error: unknown) => isErrorWithCode(error, 'OBJECT_NOT_FOUND');
    await assert.rejects(kernel.openVectors(directory.file('nowhere')), missing);
    await assert.rejects(kernel.openIndex(directory.file('nowhere'), vectors), missing);
    const broken = (error: unknown) => isErrorWithCode(error, 'STORAGE_UNAVAILABLE');
    await assert.rejects(kernel.openVectors(directory.path), broken);
  });

  test('a write that fails leaves nothing behind', async () => {
    const path = directory.file('no/such/folder');
    await assert.rejects(
      kernel.writeVectors({ path, format: 'float32', vectors: new Float32Array(4), dim: 2 }),
      (error) => isErrorWithCode(error, 'OBJECT_NOT_FOUND', 'STORAGE_UNAVAILABLE'),
    );
  });
});
