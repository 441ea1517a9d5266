import { DIM, tagOf, vectorOf } from './soak-collections.ts';
import { countWhere, rowsWhere } from '../cluster/strong-reads.ts';
import type { KnownRows, StrongCheck } from '../cluster/write-storm.ts';
import { succeeded } from '../../test/support/milvus.ts';

const K = 10;
/** Other copies may answer otherwise. */
const COUNTS = 10;
/** Between sums of 32-bit floats in different orders. */
const RELATIVE_ERROR = 1e-4;

/** How many of the true neighbours searches found. */
export interface RecallTally {
  found: number;
  expected: number;
}

interface Hit {
  readonly id: number;
  readonly score: number;
}

/** Distances are those of the rows as they are now, and the rows are the nearest ones. */
export function exactSearch(isFiltered: boolean): StrongCheck {
  return async (known) => {
    const { hits, nearest, wrong } = await searchOnce(known, isFiltered);
    const far = nearest.filter(({ score }, index) => !isNear(hits[index]?.score ?? Infinity, score));
    return far.length === 0
      ? wrong
      : [...wrong, `search found ${show(hits)} where ${show(nearest)} are nearest`];
  };
}

/** Distances are those of the rows as they are now; how many of the nearest ones are found goes to `tally`. */
export function approximateSearch(isFiltered: boolean, tally: RecallTally): StrongCheck {
  return async (known) => {
    const { hits, nearest, wrong } = await searchOnce(known, isFiltered);
    const ids = new Set(hits.map(({ id }) => id));
    tally.found += nearest.filter(({ id }) => ids.has(id)).length;
    tally.expected += nearest.length;
    if (hits.length === nearest.length) return wrong;
    return [...wrong, `search found ${hits.length} rows of ${nearest.length}`];
  };
}

async function searchOnce(
  known: KnownRows,
  isFiltered: boolean,
): Promise<{ hits: readonly Hit[]; nearest: readonly Hit[]; wrong: readonly string[] }> {
  const { client, collection, rows, random } = known;
  const query = Array.from({ length: DIM }, () => Math.fround(random.next() * 2 - 1));
  const tag = `t${random.below(13)}`;
  const filter = isFiltered ? `${known.filter} && tag == "${tag}"` : known.filter;
  const answer = succeeded(
    await client.search({
      collection_name: collection,
      data: query,
      filter,
      limit: K,
      params: { ef: 128 },
      output_fields: ['id', 'version'],
    }),
  );
  const hits = answer.results.map(({ id, score }) => ({ id: Number(id), score }));
  const wrong: string[] = [];
  if (new Set(hits.map(({ id }) => id)).size < hits.length)
    wrong.push(`search found a row twice: ${show(hits)}`);
  for (const [index, { id, score }] of hits.entries()) {
    const version = rows.get(id);
    const shown = Number(answer.results[index]!['version']);
    if (version === undefined) wrong.push(await strayText(known, id, shown));
    else if (shown !== version) {
      const seen = await strayText(known, id, shown);
      wrong.push(`${seen}; it has version ${version}`);
    } else if (isFiltered && tagOf(id, version) !== tag)
      wrong.push(`search for ${tag} found ${id} with ${tagOf(id, version)}`);
    else if (!isNear(score, distance(vectorOf(id, version), query)))
      wrong.push(`search gave ${id} the distance ${score}`);
  }
  const nearest = [...rows]
    .filter(([id, version]) => !isFiltered || tagOf(id, version) === tag)
    .map(([id, version]) => ({ id, score: distance(vectorOf(id, version), query) }))
    .sort((a, b) => a.score - b.score)
    .slice(0, K);
  return { hits, nearest, wrong };
}

/** Tells also whether a query by key, a moment later, finds the row. */
async function strayText({ client, collection }: KnownRows, id: number, version: number): Promise<string> {
  const byKey = await rowsWhere(client, collection, `id == ${id}`);
  const seen = byKey.map((row) => row.version).join() || 'nothing';
  const counts = await Promise.all(
    Array.from({ length: COUNTS }, () => countWhere(client, collection, `id == ${id}`)),
  );
  return `${collection}: search found version ${version} of ${id}; by key there is ${seen}, counted ${counts.join()}`;
}

function distance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0);
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= RELATIVE_ERROR * Math.max(1, b);

const show = (hits: readonly Hit[]): string =>
  hits.map(({ id, score }) => `${id} (${score.toFixed(4)})`).join(' ');
