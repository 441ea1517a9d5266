import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  indexParamsToWire,
  indexRequestFromWire,
  searchParamsOf,
  type IndexRequest,
} from './index-params.ts';
import { fieldOf } from '../../../test/support/random-rows.ts';
import type { IndexMeta } from '../../catalog/model.ts';
import type { FieldSchema, VectorType } from '../../schema/index.ts';

const VECTOR = fieldOf({ id: 101, name: 'vector', type: 'FloatVector', dim: 4 });
const read = (params: Readonly<Record<string, string>>, field = VECTOR): IndexRequest =>
  indexRequestFromWire(
    Object.entries(params).map(([key, value]) => ({ key, value })),
    field,
  );

test('nothing said is an automatic index with cosine', () => {
  assert.deepEqual(read({}), { requestedType: 'AUTOINDEX', type: 'HNSW', metric: 'COSINE', params: {} });
  assert.deepEqual(read({ index_type: 'autoindex', metric_type: 'l2', params: '' }).metric, 'L2');
});

test('parameters come flat or as JSON', () => {
  const wanted = {
    requestedType: 'HNSW',
    type: 'HNSW',
    metric: 'IP',
    params: { M: '8', efConstruction: '64' },
  };
  const type = { index_type: 'HNSW', metric_type: 'IP' };
  assert.deepEqual(read({ ...type, params: '{"M":8,"efConstruction":"64"}' }), wanted);
  assert.deepEqual(read({ ...type, M: '8', efConstruction: '64' }), wanted);
  assert.throws(() => read({ ...type, params: '[1]' }), /is not a JSON object/);
  assert.throws(() => read({ ...type, params: '{' }), /is not JSON/);
});

test('parameters are checked against the type', () => {
  const hnsw = { index_type: 'HNSW', metric_type: 'L2' };
  for (const M of ['1', '2049'])
    assert.throws(() => read({ ...hnsw, M }), /param 'M' \(\d+\) should be in range \[2, 2048\]/);
  assert.throws(() => read({ ...hnsw, M: '2.5' }), /should be an integer/);
  assert.throws(() => read({ ...hnsw, efConstruction: '0' }), /\[1, 2147483647\]/);
  assert.throws(() => read({ ...hnsw, nlist: '8' }), /index type HNSW has no parameter nlist/);
  assert.deepEqual(read({ index_type: 'FLAT', nlist: '8' }).params, {});
  assert.throws(() => read({ M: '8' }), /only metric type can be passed when use AutoIndex/);
  assert.throws(
    () => read({ metric_type: 'HAMMING' }),
    /float vector index does not support metric type: HAMMING/,
  );
  assert.throws(() => read({ index_type: 'GPU_CAGRA' }), { code: 'NOT_SUPPORTED' });
  const ivf = { index_type: 'ivf_flat', metric_type: 'L2' };
  assert.deepEqual(read({ ...ivf, params: '{"nlist": 1024}' }), {
    requestedType: 'IVF_FLAT',
    type: 'IVF_FLAT',
    metric: 'L2',
    params: { nlist: '1024' },
  });
  for (const nlist of ['0', '65537'])
    assert.throws(() => read({ ...ivf, nlist }), /param 'nlist' \(\d+\) should be in range \[1, 65536\]/);
  const pq = { index_type: 'IVF_PQ', metric_type: 'L2' };
  assert.deepEqual(read({ ...pq, nlist: '8', m: '2', nbits: '8' }).params, {
    nlist: '8',
    m: '2',
    nbits: '8',
  });
  assert.throws(() => read({ ...pq, m: '3' }), /should be a multiple of .*\(m\): dim 4, m 3/);
  assert.throws(() => read({ ...pq, nbits: '25' }), /param 'nbits' \(25\) should be in range/);
  const rabitq = { index_type: 'IVF_RABITQ', metric_type: 'IP' };
  assert.deepEqual(read({ ...rabitq, params: '{"refine":true,"refine_type":"sq8"}' }).params, {
    refine: 'true',
    refine_type: 'sq8',
  });
  assert.throws(
    () => read({ ...rabitq, refine: 'maybe' }),
    /param 'refine' \(maybe\) should be true or false/,
  );
  assert.throws(() => read({ ...rabitq, refine_type: 'SQ5' }), /should be one of SQ6, SQ8/);
});

test('what is shown can be sent again', () => {
  const request = read({ index_type: 'HNSW', metric_type: 'L2', params: '{"M":8}', 'mmap.enabled': 'true' });
  const meta = {
    ...request,
    id: '1',
    name: 'x',
    fieldId: 101,
    createdTimestamp: '1',
  } as unknown as IndexMeta;
  const pairs = indexParamsToWire(meta);
  assert.deepEqual(pairs, [
    { key: 'index_type', value: 'HNSW' },
    { key: 'metric_type', value: 'L2' },
    { key: 'params', value: '{"M":8}' },
    { key: 'mmap.enabled', value: 'true' },
  ]);
  assert.deepEqual(indexRequestFromWire(pairs as never, VECTOR), request);
});

test('a search gives an index what it reads, and refuses what is out of range', () => {
  const given = { ef: 64, nprobe: 16, level: 1 };
  assert.deepEqual(searchParamsOf('IVF_FLAT', given), { nprobe: 16 });
  assert.deepEqual(searchParamsOf('HNSW', given), { ef: 64 });
  assert.deepEqual(searchParamsOf('FLAT', { nprobe: 0 }), {});
  assert.deepEqual(searchParamsOf('IVF_RABITQ', { nprobe: 4, refine_k: 1.5, ef: 1 }), {
    nprobe: 4,
    refine_k: 1.5,
  });
  const invalid = (text: RegExp) => ({ code: 'PARAMETER_INVALID', message: text });
  for (const nprobe of [0, 65_537])
    assert.throws(
      () => searchParamsOf('IVF_FLAT', { nprobe }),
      invalid(/param 'nprobe' \(\d+\) should be in range/),
    );
  assert.throws(
    () => searchParamsOf('IVF_FLAT', { nprobe: 'x' }),
    invalid(/'nprobe' \(x\) should be an integer/),
  );
});

test('each type of vectors has its automatic index, metrics and types of index', () => {
  const of = (type: VectorType): FieldSchema =>
    fieldOf({ id: 101, name: 'vector', type, dim: type === 'SparseFloatVector' ? null : 8 });
  const automatic = (type: VectorType): string => {
    const { type: built, metric } = read({}, of(type));
    return `${built} ${metric}`;
  };
  for (const type of ['FloatVector', 'Float16Vector', 'BFloat16Vector', 'Int8Vector'] as const)
    assert.equal(automatic(type), 'HNSW COSINE');
  assert.match(automatic('BinaryVector'), /^BIN_(IVF_)?FLAT HAMMING$/);
  assert.equal(automatic('SparseFloatVector'), 'SPARSE_INVERTED_INDEX IP');

  const refuses = (type: VectorType, params: Readonly<Record<string, string>>, message: RegExp): void =>
    assert.throws(() => read(params, of(type)), { code: 'INDEX_INVALID', message });
  refuses('BinaryVector', { metric_type: 'L2' }, /^binary vector index does not support metric type: L2/);
  refuses(
    'Int8Vector',
    { metric_type: 'JACCARD' },
    /^int vector index does not support metric type: JACCARD/,
  );
  refuses('SparseFloatVector', { metric_type: 'L2' }, /^only IP&BM25 is the supported metric type/);
  assert.throws(() => read({ metric_type: 'BM25' }, of('SparseFloatVector')), { code: 'NOT_SUPPORTED' });
  refuses(
    'BinaryVector',
    { index_type: 'HNSW' },
    /^data type BinaryVector can't build with this index HNSW$/,
  );
  refuses(
    'FloatVector',
    { index_type: 'BIN_FLAT' },
    /data type FloatVector can't build with this index BIN_FLAT/,
  );
  refuses('SparseFloatVector', { index_type: 'FLAT' }, /SparseFloatVector can't build with this index FLAT/);
  refuses(
    'Float16Vector',
    { index_type: 'SPARSE_WAND' },
    /Float16Vector can't build with this index SPARSE_WAND/,
  );
  refuses(
    'SparseFloatVector',
    { index_type: 'SPARSE_WAND', inverted_index_algo: 'BEST' },
    /inverted_index_algo/,
  );
  refuses('SparseFloatVector', { index_type: 'SPARSE_WAND', drop_ratio_build: '1' }, /drop_ratio_build/);
  const wand = read(
    { index_type: 'SPARSE_WAND', metric_type: 'IP', params: '{"inverted_index_algo":"DAAT_MAXSCORE"}' },
    of('SparseFloatVector'),
  );
  assert.deepEqual(wand.params, { inverted_index_algo: 'DAAT_MAXSCORE' });
});
