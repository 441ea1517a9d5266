import { DIM, tagOf } from './soak-collections.ts';
import { countWhere, rowsWhere } from '../cluster/strong-reads.ts';
import type { StrongCheck } from '../cluster/write-storm.ts';

const BATCH = 50;

/** Query and count by a filter over scalar fields. */
export const filteredQuery: StrongCheck = async ({ client, collection, filter, rows, random }) => {
  const [tag, remainder] = [`t${random.below(13)}`, random.below(3)];
  const condition = `${filter} && (tag == "${tag}" || version % 3 == ${remainder})`;
  const expected = new Map(
    [...rows].filter(([id, version]) => tagOf(id, version) === tag || version % 3 === remainder),
  );
  const found = await rowsWhere(client, collection, condition);
  const count = await countWhere(client, collection, condition);
  const wrong = differences('query', expected, found);
  return count === expected.size ? wrong : [...wrong, `count(*) is ${count} where ${expected.size} rows are`];
};

/** All rows by the client's query iterator. */
export const queryIterator: StrongCheck = async ({ client, collection, filter, rows }) => {
  const batches = await client.queryIterator({
    collection_name: collection,
    filter,
    batchSize: BATCH,
    output_fields: ['id', 'version'],
  });
  const found: { id: number; version: number }[] = [];
  for await (const batch of batches as AsyncIterable<readonly Record<string, unknown>[]>) {
    found.push(...batch.map((row) => ({ id: Number(row['id']), version: Number(row['version']) })));
  }
  return differences('query iterator', rows, found);
};

/** The rows nearest first by the client's search iterator; exact where the index is. */
export const searchIterator: StrongCheck = async ({ client, collection, filter, rows, random }) => {
  const limit = BATCH * 4;
  const batches = await client.searchIterator({
    collection_name: collection,
    data: Array.from({ length: DIM }, () => random.next() * 2 - 1),
    filter,
    batchSize: BATCH,
    limit,
    output_fields: ['id', 'version'],
  });
  const found: { id: number; version: number }[] = [];
  let last = -Infinity;
  const wrong: string[] = [];
  for await (const batch of batches as AsyncIterable<readonly Record<string, unknown>[]>) {
    for (const row of batch) {
      const score = Number(row['score']);
      if (score < last) wrong.push(`search iterator went back from ${last} to ${score}`);
      last = score;
      found.push({ id: Number(row['id']), version: Number(row['version']) });
    }
  }
  const expected = Math.min(limit, rows.size);
  if (found.length !== expected)
    wrong.push(`search iterator gave ${found.length} rows instead of ${expected}`);
  const given = new Map([...rows].filter(([id]) => found.some((row) => row.id === id)));
  return [...wrong, ...differences('search iterator', given, found)];
};

/** Rows missing, twice or of another version. */
function differences(
  what: string,
  expected: ReadonlyMap<number, number>,
  found: readonly { readonly id: number; readonly version: number }[],
): readonly string[] {
  const wrong: string[] = [];
  const seen = new Set<number>();
  for (const { id, version } of found) {
    if (seen.has(id)) wrong.push(`${what} gave ${id} twice`);
    seen.add(id);
    const right = expected.get(id);
    if (right !== version) wrong.push(`${what} gave ${id} as ${version} instead of ${right ?? 'absent'}`);
  }
  for (const id of expected.keys()) if (!seen.has(id)) wrong.push(`${what} left out ${id}`);
  return wrong;
}
