import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isErrorWithCode, type ErrorCode } from '../errors/index.ts';
import { AssertionError } from '../util/assert.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../test/support/temporary-directory.ts';
import { searchOf, wholeSource, writeAndOpen } from '../../test/support/vectors.ts';
import { readBuildParams, type IndexType } from './index-types.ts';
import type {
  BuildIndexOptions,
  Kernel,
  KernelOptions,
  KernelSearch,
  VectorFile,
  VectorIndex,
} from './kernel.ts';
import { createKernel } from './native-kernel.ts';

const refusal = (code: ErrorCode, text: RegExp) => (error: unknown) =>
  isErrorWithCode(error, code) && text.test(error.message);

describe('arguments', () => {
  let directory: TemporaryDirectory;
  let kernel: Kernel;
  let file: VectorFile;
  let index: VectorIndex;

  before(async () => {
    directory = await temporaryDirectory();
    kernel = createKernel({ threads: 2, queueMax: 10 });
    file = await writeAndOpen(kernel, directory.path, new Float32Array(40).fill(1), 4);
    await kernel.buildIndex(build({}));
    index = await kernel.openIndex(directory.file('index'), file);
  });

  after(async () => {
    index[Symbol.dispose]();
    file[Symbol.dispose]();
    await kernel[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  function build(fields: Partial<BuildIndexOptions>): BuildIndexOptions {
    const path = directory.file('index');
    return { type: 'HNSW', metric: 'L2', vectors: file, path, params: {}, seed: 1, threads: 1, ...fields };
  }

  const search = (fields: Partial<KernelSearch>) =>
    kernel.search(
      searchOf({ sources: [wholeSource(index)], queries: new Float32Array(4), dim: 4, ...fields }),
    );

  const wrong: readonly [string, Partial<KernelSearch>, RegExp][] = [
    ['k of 0', { k: 0 }, /k is 0; it must be a whole number in \[1, 16384\]/],
    ['k past the limit', { k: 16_385 }, /16385/],
    ['k with a fraction', { k: 1.5 }, /1\.5/],
    [
      'an unknown parameter',
      { params: { nprob: 8 } },
      /unknown parameter nprob; the known ones are ef, nprobe/,
    ],
    ['nprobe of 0', { params: { nprobe: 0 } }, /nprobe is 0; it must be a whole number in \[1, 65536\]/],
    ['ef below k', { params: { ef: 9 } }, /ef is 9; it must be a whole number in \[10, 32768\]/],
    ['ef past the limit', { params: { ef: 40_000 } }, /40000/],
    ['ef that is no number', { params: { ef: 'many' } }, /"many"/],
    ['ef that is a boolean', { params: { ef: true } }, /true/],
    ['queries of another length', { queries: new Float32Array(5), queryCount: 1 }, /5 values/],
    ['another dimension', { dim: 2, queryCount: 2 }, /dimension 2; source 0 has 4/],
    ['another metric', { metric: 'IP' }, /metric is IP; source 0 is an index for L2/],
    ['a bound that is no number', { scoreAbove: NaN }, /scoreAbove/],
    ['a timeout below 0', { timeoutMs: -1 }, /timeoutMs is -1/],
    ['a timeout that is no number', { timeoutMs: NaN }, /timeoutMs/],
    ['a priority with a fraction', { priority: 0.5 }, /priority/],
  ];
  for (const [what, fields, text] of wrong) {
    test(`${what} is refused`, () => assert.rejects(search(fields), refusal('PARAMETER_INVALID', text)));
  }

  test('ef may come as a decimal string, as clients send it', async () => {
    assert.equal((await search({ params: { ef: '100' } })).counts[0], 10);
  });

  test('what only a defect can ask for is asserted', async () => {
    const asserted = (error: unknown) => error instanceof AssertionError;
    const source = wholeSource(index);
    await assert.rejects(search({ sources: [{ ...source, rowCount: 9 }] }), asserted);
    await assert.rejects(search({ sources: [{ ...source, allowed: new Uint8Array(1) }] }), asserted);
    const shape = { format: 'float32', dim: 4 };
    const foreign = { kind: 'vectors', ...shape, rowCount: 1, sizeBytes: 0 } as unknown as VectorFile;
    await assert.rejects(search({ sources: [wholeSource(foreign)] }), asserted);
    await assert.rejects(kernel.openIndex(directory.file('index'), foreign), asserted);
    await assert.rejects(kernel.buildIndex(build({ threads: 3 })), asserted);
    await assert.rejects(kernel.buildIndex(build({ seed: 0.5 })), asserted);
    await assert.rejects(
      kernel.writeVectors({
        path: directory.file('w'),
        format: 'float32',
        vectors: new Float32Array(5),
        dim: 4,
      }),
      asserted,
    );
    assert.throws(() => file.read(Uint32Array.of(10), new Float32Array(4)), asserted);
    assert.throws(() => file.read(Uint32Array.of(1), new Float32Array(5)), asserted);
    assert.throws(() => kernel.createBlock({ format: 'float32', dim: 0, capacity: 1 }), asserted);
    using block = kernel.createBlock({ format: 'float32', dim: 4, capacity: 1 });
    assert.throws(() => block.append(new Float32Array(8)), asserted);
    assert.throws(() => block.append(new Float32Array(3)), asserted);
    await assert.rejects(search({ sources: [{ data: block, rowCount: 1, allowed: null }] }), asserted);
  });

  test('HNSW takes Milvus names, ranges and defaults', () => {
    assert.deepEqual(readBuildParams('HNSW', {}, 4), { M: 30, efConstruction: 360 });
    assert.deepEqual(readBuildParams('HNSW', { M: '16', efConstruction: 8 }, 4), {
      M: 16,
      efConstruction: 8,
    });
    for (const params of [{ M: 1 }, { M: 2049 }, { M: 'x' }, { efConstruction: 0 }, { efconstruction: 9 }]) {
      assert.throws(() => readBuildParams('HNSW', params, 4), refusal('INDEX_INVALID', /M|ef/));
    }
  });

  test('IVF_FLAT takes Milvus names, ranges and defaults', () => {
    assert.deepEqual(readBuildParams('IVF_FLAT', {}, 4), { nlist: 128 });
    assert.deepEqual(readBuildParams('IVF_FLAT', { nlist: '65536' }, 4), { nlist: 65_536 });
    for (const params of [{ nlist: 0 }, { nlist: 65_537 }, { nlist: 1.5 }, { nprobe: 8 }, { M: 8 }]) {
      assert.throws(() => readBuildParams('IVF_FLAT', params, 4), refusal('INDEX_INVALID', /nlist/));
    }
  });

  test('an index type that does not exist is refused', () =>
    assert.rejects(
      kernel.buildIndex(build({ type: 'BRUTE' as IndexType })),
      refusal('INDEX_INVALID', /BRUTE is unknown; use HNSW, .*IVF_FLAT/),
    ));

  test('an index type that is not made for a format or metric is refused', async () => {
    const refused = refusal('INDEX_INVALID', /HAMMING|binary/);
    using bits = await writeAndOpen(kernel, directory.path, new Uint8Array(8), 16, 'bits', 'binary');
    await assert.rejects(kernel.buildIndex(build({ metric: 'HAMMING', vectors: bits })), refused);
    using bytes = await writeAndOpen(kernel, directory.path, new Int8Array(8), 4, 'bytes', 'int8');
    await assert.rejects(kernel.buildIndex(build({ metric: 'HAMMING', vectors: bytes })), refused);
  });

  const options: readonly [KernelOptions, RegExp][] = [
    [{ threads: 0, queueMax: 1 }, /threads is 0/],
    [{ threads: 1025, queueMax: 1 }, /1025/],
    [{ threads: 1, queueMax: -1 }, /queueMax is -1/],
    [{ threads: 1, queueMax: 1, instructionSet: 'mmx' }, /no mmx; it has .*scalar/],
  ];
  for (const [given, text] of options) {
    test(`a kernel of ${JSON.stringify(given)} is refused`, () => {
      assert.throws(() => createKernel(given), refusal('CONFIG_INVALID', text));
    });
  }
});
