import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FunctionType, type FunctionScore } from './generated/milvus.js';
import { rankParamsFromWire, type RankParams } from './rank-params.ts';

type Texts = Readonly<Record<string, string>>;
const pairs = (texts: Texts): { key: string; value: string }[] =>
  Object.entries(texts).map(([key, value]) => ({ key, value }));
const read = (texts: Texts, searches = 2): RankParams =>
  rankParamsFromWire(pairs({ limit: '5', ...texts }), null, searches);
const readFunction = (params: Texts, type: number = FunctionType.Rerank): RankParams =>
  rankParamsFromWire(
    pairs({ limit: '5', strategy: 'weighted' }),
    { functions: [{ name: 'f', type, params: pairs(params) }] } as unknown as FunctionScore,
    2,
  );
const refuses = (texts: Texts, message: RegExp): void =>
  assert.throws(() => read(texts), { code: 'PARAMETER_INVALID', message });

test('nothing said is reciprocal rank fusion with 60', () => {
  const { ranking, ...rest } = read({});
  assert.deepEqual(ranking, { kind: 'rrf', k: 60 });
  assert.deepEqual(rest, { limit: 5, offset: 0, roundDecimal: -1 });
  assert.deepEqual(read({ strategy: 'rrf', params: '{"k":0.5}', offset: '3', round_decimal: '2' }), {
    ranking: { kind: 'rrf', k: 0.5 },
    limit: 5,
    offset: 3,
    roundDecimal: 2,
  });
});

test('weights are normalized unless the client says no', () => {
  const weighted = { strategy: 'weighted', params: '{"weights":[0.9,0]}' };
  assert.deepEqual(read(weighted).ranking, { kind: 'weighted', weights: [0.9, 0], isNormalized: true });
  const raw = { strategy: 'weighted', params: '{"weights":[1,1],"norm_score":false}' };
  assert.deepEqual(read(raw).ranking, { kind: 'weighted', weights: [1, 1], isNormalized: false });
});

test('a rerank function says the same, and its weights are not normalized unless it says so', () => {
  assert.deepEqual(readFunction({ reranker: 'rrf', k: '7' }).ranking, { kind: 'rrf', k: 7 });
  assert.deepEqual(readFunction({ reranker: 'weighted', weights: '[0.1, 0.2]' }).ranking, {
    kind: 'weighted',
    weights: [0.1, 0.2],
    isNormalized: false,
  });
  for (const wrong of [
    () => readFunction({ reranker: 'decay' }),
    () => readFunction({ reranker: 'rrf' }, FunctionType.BM25),
  ])
    assert.throws(wrong, { code: 'NOT_SUPPORTED' });
});

test('what cannot be is refused', () => {
  assert.throws(() => rankParamsFromWire([], null, 1), /limit not found in rank_params/);
  refuses({ strategy: 'best' }, /^unsupported rank type best$/);
  for (const k of ['0', '16384', '-1'])
    refuses({ params: `{"k":${k}}` }, /k should be in range \(0, 16384\)/);
  refuses({ params: '{"k":"x"}' }, /k should be float/);
  refuses({ params: '{"k":true}' }, /k should be float/);
  const weighted = (params: string): Texts => ({ strategy: 'weighted', params });
  refuses(weighted('{}'), /^weights not found in rank_params$/);
  refuses(weighted('{"weights":1}'), /should be an array/);
  refuses(weighted('{"weights":["a",1]}'), /weight should be float/);
  refuses(weighted('{"weights":[-0.1,1]}'), /in range \[0, 1\]$/);
  refuses(weighted('{"weights":[1]}'), /mismatch with ann search requests.*expected=2.*actual=1/);
  refuses(weighted('{"weights":[1,1],"norm_score":"maybe"}'), /norm_score params must be true\/false/);
  refuses({ limit: '16385' }, /16385/);
  refuses({ offset: '16380' }, /offset\+topk/);
  assert.throws(() => read({ group_by_field: 'tag' }), { code: 'NOT_SUPPORTED' });
});
