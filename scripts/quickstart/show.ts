import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { COLLECTION, EF } from './words-collection.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { askManagement } from '../../src/cli/management-client.ts';
import type { RouteExplanation } from '../../src/proxy/proxy-core.ts';
import type { Embeddings } from '../embeddings.ts';

/** Well-known words, of which the first few that were inserted are shown. */
const CANDIDATES = [
  'piano',
  'berlin',
  'quantum',
  'banana',
  'justice',
  'dolphin',
  'guitar',
  'tokyo',
  'biology',
  'coffee',
  'lawyer',
  'tiger',
  'violin',
  'paris',
  'chemistry',
  'orange',
  'poetry',
  'whale',
  'january',
  'football',
  'copper',
  'river',
  'surgeon',
  'novel',
];
const SHOWN = 5;

export async function showNearestWords(
  client: MilvusClient,
  embeddings: Embeddings,
  say: (line: string) => void,
): Promise<void> {
  const { words, vectors, dim } = embeddings;
  for (const word of CANDIDATES.filter((candidate) => words.includes(candidate)).slice(0, SHOWN)) {
    const row = words.indexOf(word);
    const data = Array.from(vectors.subarray(row * dim, (row + 1) * dim));
    const answer = succeeded(
      await client.search({
        collection_name: COLLECTION,
        data,
        limit: 6,
        output_fields: ['word'],
        params: { ef: EF },
      }),
    );
    const near = answer.results.filter((hit) => hit['word'] !== word).map((hit) => String(hit['word']));
    say(`  ${word.padEnd(8)} → ${near.slice(0, 5).join(', ')}`);
  }
}

/** Which reader answers for which segments, from the proxy's own explanation. */
export async function showRoutes(
  management: string,
  collection: string,
  say: (line: string) => void,
): Promise<void> {
  const route = (await askManagement(management, '/route', { collection })) as RouteExplanation;
  say(`routing (${route.router}, ${route.copies} copies of each segment):`);
  for (const item of route.items.filter(({ kind }) => kind === 'segment')) {
    say(
      `  segment ${item.key} (${item.rowCount} rows): ${item.nodes.slice(0, route.copies).join(', ')}, then ${item.nodes.slice(route.copies).join(', ')}`,
    );
  }
}
