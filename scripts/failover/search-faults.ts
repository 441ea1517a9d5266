import { setTimeout as sleep } from 'node:timers/promises';
import { maximum, median, type FaultResult } from './fault-result.ts';
import { until, type Scene } from '../cluster/scene.ts';
import { calmAnswers, searchDuring, sumOf, type Searched, type SearchFigures } from './search-storm.ts';
import type { FaultOptions } from './writer-faults.ts';
import { SeededRandom } from '../../src/host/index.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { createPoints, indexAndLoad, randomPoints } from '../../test/support/points.ts';

const COLLECTION = 'points';
const ROWS = 20_000;
const FLUSHES = 5;
const QUERIES = 200;
const READER_STOPPED_MS = 10_000;
/** Searches go on this long before and after a fault. */
const AROUND_MS = 1_000;

/** Points in several segments, two copies of each, some rows fresh; and the answers while nothing fails. */
export async function prepareSearches(
  { clients: [client] }: Scene,
  seed: number,
): Promise<Searched & { readonly collection: string }> {
  await createPoints(client!, COLLECTION);
  await indexAndLoad(client!, COLLECTION, 2);
  for (let first = 0; first < ROWS; first += ROWS / FLUSHES) {
    const data = randomPoints(ROWS / FLUSHES, first, seed);
    succeeded(await client!.insert({ collection_name: COLLECTION, data }));
    succeeded(await client!.flushSync({ collection_names: [COLLECTION] }));
  }
  succeeded(await client!.insert({ collection_name: COLLECTION, data: randomPoints(1_000, ROWS, seed) }));
  await until('segments are indexed', async () => {
    const { index_descriptions: indexes } = succeeded(
      await client!.describeIndex({ collection_name: COLLECTION }),
    );
    return indexes.every(({ state }) => String(state) === 'Finished');
  });
  const queries = randomPoints(QUERIES, 1_000_000, seed).map(({ vector }) => vector);
  return { collection: COLLECTION, queries, answers: await calmAnswers(client!, COLLECTION, queries) };
}

export async function killReader(
  scene: Scene,
  searched: Searched,
  options: FaultOptions,
): Promise<FaultResult> {
  const random = new SeededRandom(options.seed).fork('reader');
  const figures = await searchDuring(scene.clients, COLLECTION, searched, async () => {
    for (let round = 0; round < options.rounds; round++) {
      await sleep(AROUND_MS + random.below(500));
      const victim = `reader-${1 + random.below(3)}`;
      const { pid } = scene.member(victim);
      scene.kill(victim);
      await scene.restarted(victim, pid);
    }
    await sleep(AROUND_MS);
  });
  return readerResult('kill -9 of a reader', options.rounds, figures);
}

export async function stopReader(
  scene: Scene,
  searched: Searched,
  options: FaultOptions,
): Promise<FaultResult> {
  const figures = await searchDuring(scene.clients, COLLECTION, searched, async () => {
    for (let round = 0; round < options.rounds; round++) {
      const victim = `reader-${1 + (round % 3)}`;
      await sleep(AROUND_MS);
      scene.signal(victim, 'SIGSTOP');
      await sleep(READER_STOPPED_MS);
      scene.signal(victim, 'SIGCONT');
      await sleep(AROUND_MS);
    }
  });
  return readerResult(`SIGSTOP of a reader for ${READER_STOPPED_MS / 1000} s`, options.rounds, figures);
}

/** Kills the second proxy: its clients wait for the supervisor, those of the first see nothing. */
export async function killProxy(
  scene: Scene,
  searched: Searched,
  options: FaultOptions,
): Promise<FaultResult> {
  const gapsMs: number[] = [];
  const others: SearchFigures[] = [];
  let failed = 0;
  let different = 0;
  for (let round = 0; round < options.rounds; round++) {
    const [other, killed] = await searchDuring(scene.clients, COLLECTION, searched, async (answered) => {
      await sleep(AROUND_MS);
      const { pid } = scene.member('proxy-2');
      scene.kill('proxy-2');
      await scene.restarted('proxy-2', pid);
      const before = answered(1);
      await until('the client of the killed proxy has answers again', () => answered(1) > before + 10);
    });
    others.push(other!);
    gapsMs.push(killed!.gapMs);
    failed += killed!.failed;
    different += killed!.different;
  }
  const seen = sumOf(others);
  return {
    fault: 'kill -9 of a proxy',
    times: options.rounds,
    figures: {
      other: seen,
      killed: { failed, different, gapMedianMs: median(gapsMs), gapMaxMs: maximum(gapsMs) },
    },
    isGood: seen.failed + seen.different + different === 0,
    lost: `client of the other proxy: ${lossOf(seen)}`,
    cost: `client of the killed one: no answer for ${median(gapsMs)} ms (median), ${maximum(gapsMs)} ms (max); the other's slowest search ${seen.slowestMs} ms`,
  };
}

function readerResult(fault: string, times: number, figures: readonly SearchFigures[]): FaultResult {
  const seen = sumOf(figures);
  return {
    fault,
    times,
    figures: { ...seen },
    isGood: seen.failed + seen.different === 0,
    lost: lossOf(seen),
    cost: `slowest search ${seen.slowestMs} ms`,
  };
}

const lossOf = ({ searches, failed, different }: SearchFigures): string =>
  `${failed} of ${searches} searches failed, ${different} answered otherwise than before`;
