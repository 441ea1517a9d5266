import { comparerOf } from './order-rows.ts';
import type { ProxyCore, RequestContext, SearchAnswer, SearchCommand } from '../proxy-core.ts';
import { asKeys, columnOf, takeColumn, takeRows, valueAt, type ColumnValue } from '../../columns/index.ts';
import { paramsForHits } from '../../kernel/index.ts';
import type { OrderBy } from '../../protocol/reader-api.ts';

/** Hits of one query that have the same value in a field count as one. */
export interface GroupBy {
  readonly fieldId: number;
  /** Hits of a group, at most. */
  readonly size: number;
  /** Look on until every group is full, where there are so many. */
  readonly strict: boolean;
}

/** The hits a group search looks at, at most: beyond them, groups stay few or small. */
const LOOKED_AT_MAX = 16_384;
const GROWTH = 4;

/**
 * A search whose limit and offset count groups: best groups first, the hits of a group together, best first. It asks for more and
 * more hits until they make enough groups.
 */
export async function searchGroups(
  core: Pick<ProxyCore, 'search'>,
  command: SearchCommand,
  group: GroupBy,
  context: RequestContext,
): Promise<SearchAnswer> {
  const groupsMax = command.offset + command.limit;
  for (
    let limit = Math.min(LOOKED_AT_MAX, 2 * groupsMax * group.size);
    ;
    limit = Math.min(LOOKED_AT_MAX, GROWTH * limit)
  ) {
    const answer = await core.search({ ...command, ...widened(command, limit, [group.fieldId]) }, context);
    const grouped = groupHits(answer, group, groupsMax);
    const isDone = grouped.every(
      (groups, query) => answer.counts[query]! < limit || isFull(groups, group, groupsMax),
    );
    if (isDone || limit === LOOKED_AT_MAX)
      return picked(
        answer,
        grouped.map((groups) => groups.slice(command.offset).flat()),
      );
  }
}

/** A search whose hits, once the best are found, are shown by the values of fields; ties by key. */
export async function searchInOrder(
  core: Pick<ProxyCore, 'search'>,
  command: SearchCommand,
  orderBy: readonly OrderBy[],
  context: RequestContext,
): Promise<SearchAnswer> {
  const fieldIds = orderBy.map(({ fieldId }) => fieldId);
  const answer = await core.search(
    { ...command, outputFieldIds: union(command.outputFieldIds, fieldIds) },
    context,
  );
  const compare = comparerOf(orderBy, answer.rows, answer.keys);
  return picked(
    answer,
    hitsByQuery(answer).map((hits) => hits.sort(compare)),
  );
}

function widened({ outputFieldIds, params }: SearchCommand, limit: number, fieldIds: readonly number[]) {
  return {
    limit,
    offset: 0,
    outputFieldIds: union(outputFieldIds, fieldIds),
    params: paramsForHits(params, limit),
  };
}

function union(ids: readonly number[], more: readonly number[]): readonly number[] {
  return [...new Set([...ids, ...more])];
}

/** Of each query, its groups in order of their best hit, as rows of the answer. */
function groupHits(answer: SearchAnswer, { fieldId, size }: GroupBy, groupsMax: number): number[][][] {
  const column = columnOf(answer.rows, fieldId);
  return hitsByQuery(answer).map((hits) => {
    const groups = new Map<ColumnValue, number[]>();
    for (const hit of hits) {
      const value = valueAt(column, hit);
      const group = groups.get(value);
      if (group === undefined && groups.size < groupsMax) groups.set(value, [hit]);
      else if (group !== undefined && group.length < size) group.push(hit);
    }
    return [...groups.values()];
  });
}

function isFull(
  groups: readonly (readonly number[])[],
  { size, strict }: GroupBy,
  groupsMax: number,
): boolean {
  if (groups.length < groupsMax) return false;
  return !strict || groups.every((hits) => hits.length === size);
}

function hitsByQuery({ counts }: SearchAnswer): number[][] {
  let start = 0;
  return [...counts].map((count) => Array.from({ length: count }, () => start++));
}

/** The answer with these rows, by query. */
function picked(answer: SearchAnswer, hits: readonly (readonly number[])[]): SearchAnswer {
  const rows = Uint32Array.from(hits.flat());
  return {
    counts: Uint32Array.from(hits, (ofQuery) => ofQuery.length),
    scores: Float32Array.from(rows, (row) => answer.scores[row]!),
    keys: asKeys(takeColumn(answer.keys, rows)),
    rows: takeRows(answer.rows, rows),
  };
}
