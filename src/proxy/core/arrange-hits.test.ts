import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchGroups, searchInOrder } from './arrange-hits.ts';
import type { RequestContext, SearchAnswer, SearchCommand } from '../proxy-core.ts';
import { asKeys, columnFromValues, scalarShape, valuesOf } from '../../columns/index.ts';

const FIELD = 105;
const context = {} as RequestContext;

/** A core whose hits have these values in the field, best first, one list a query; it notes the limits it was asked for. */
function coreOf(...queries: readonly (readonly (number | null)[])[]) {
  const limits: number[] = [];
  return {
    limits,
    search({ limit, offset, outputFieldIds }: SearchCommand): Promise<SearchAnswer> {
      limits.push(limit);
      assert.ok(outputFieldIds.includes(FIELD));
      const hits = queries.flatMap((values, query) =>
        values
          .slice(offset, offset + limit)
          .map((value, rank) => ({ key: BigInt(100 * query + rank), rank, value })),
      );
      const values = columnFromValues(
        scalarShape('Int32'),
        hits.map(({ value }) => value),
      );
      return Promise.resolve({
        counts: Uint32Array.from(queries, (list) => Math.min(limit, Math.max(0, list.length - offset))),
        scores: Float32Array.from(hits, ({ rank }) => -rank),
        keys: asKeys(
          columnFromValues(
            scalarShape('Int64'),
            hits.map(({ key }) => key),
          ),
        ),
        rows: { rowCount: hits.length, columns: new Map([[FIELD, values]]) },
      });
    },
  };
}

const command = (limit: number, offset = 0): SearchCommand =>
  ({ limit, offset, outputFieldIds: [], params: { ef: 2 } }) as unknown as SearchCommand;
const keysOf = (answer: SearchAnswer): number[] => valuesOf(answer.keys).map(Number);

test('hits of one value count as one, the best groups first and their hits together', async () => {
  const core = coreOf([1, 2, 1, 3, 2, 4], [5, 5, 5, null, null]);
  const group = { fieldId: FIELD, size: 2, strict: false };
  const answer = await searchGroups(core, command(2), group, context);
  assert.deepEqual([...answer.counts], [4, 4]);
  assert.deepEqual(keysOf(answer), [0, 2, 1, 4, 100, 101, 103, 104]);
  assert.deepEqual([...answer.scores], [-0, -2, -1, -4, -0, -1, -3, -4]);
  const second = await searchGroups(core, command(1, 1), { ...group, size: 1 }, context);
  assert.deepEqual(keysOf(second), [1, 103]);
});

test('more hits are asked for until they make enough groups, or there are no more', async () => {
  const many = coreOf([...Array<number>(50).fill(1), 2, ...Array<number>(20).fill(1), 3]);
  const group = { fieldId: FIELD, size: 1, strict: false };
  assert.deepEqual(keysOf(await searchGroups(many, command(3), group, context)), [0, 50, 71]);
  assert.deepEqual(many.limits, [6, 24, 96]);
  const few = coreOf([1, 1, 1]);
  assert.deepEqual(keysOf(await searchGroups(few, command(3), group, context)), [0]);
  assert.deepEqual(few.limits, [6]);
});

test('strict groups are looked for until they are full', async () => {
  const core = coreOf([1, 2, ...Array<number>(30).fill(3), 1, 2]);
  const sizes = async (strict: boolean): Promise<number> =>
    (await searchGroups(core, command(2), { fieldId: FIELD, size: 2, strict }, context)).counts[0]!;
  assert.equal(await sizes(false), 2);
  assert.equal(await sizes(true), 4);
});

test('the best hits are shown by the values of a field, ties by key', async () => {
  const core = coreOf([3, 1, null, 1, 0], [2, 9]);
  const order = { fieldId: FIELD, descending: false, nullsFirst: false };
  const up = await searchInOrder(core, command(4), [order], context);
  assert.deepEqual(keysOf(up), [1, 3, 0, 2, 100, 101]);
  assert.deepEqual([...up.counts], [4, 2]);
  assert.deepEqual([...up.scores], [-1, -3, -0, -2, -0, -1]);
  const down = await searchInOrder(core, command(4), [{ ...order, descending: true }], context);
  assert.deepEqual(keysOf(down), [0, 1, 3, 2, 101, 100]);
});
