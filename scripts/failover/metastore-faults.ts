import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { maximum, median, type FaultResult } from './fault-result.ts';
import { searchDuring, sumOf, type Searched } from './search-storm.ts';
import { until, type Scene } from '../cluster/scene.ts';
import { createVersioned } from '../cluster/strong-reads.ts';
import { WriteStorm } from '../cluster/write-storm.ts';
import { indexAndLoad } from '../../test/support/points.ts';
import type { FaultOptions } from './writer-faults.ts';

const COLLECTION = 'changes_metastore';
/** Longer than `writer.lease_ttl`. */
const LOCKED_MS = 10_000;
const AROUND_MS = 1_500;

/** Another process holds the lock of the metadata database: no lease is renewed, nothing of the catalog changes. */
export async function lockMetastore(
  scene: Scene,
  searched: Searched & { readonly collection: string },
  { rounds, seed }: FaultOptions,
): Promise<FaultResult> {
  const [client] = scene.clients;
  await createVersioned(client!, COLLECTION);
  await indexAndLoad(client!, COLLECTION, 2);
  await sleep(AROUND_MS);
  const gapsMs: number[] = [];
  await using storm = new WriteStorm(scene.clients, COLLECTION, seed);
  const searches = await searchDuring(scene.clients, searched.collection, searched, async () => {
    for (let round = 0; round < rounds; round++) {
      await sleep(AROUND_MS);
      await locked(join(scene.directory, 'metadata.db'), LOCKED_MS);
      const freeAtMs = performance.now();
      await until('changes are acknowledged', () => storm.isAcknowledgedSince(freeAtMs));
      gapsMs.push(performance.now() - freeAtMs);
    }
  });
  await storm.verify();
  const { figures, problems, readErrors } = storm;
  const seen = sumOf(searches);
  const bad = figures.missing + figures.twice + figures.wrong + figures.failedReads;
  return {
    fault: `metadata service takes no changes for ${LOCKED_MS / 1000} s`,
    times: rounds,
    figures: { ...figures, searches: seen, problems, readErrors },
    isGood: bad + seen.failed + seen.different === 0,
    lost: `${figures.missing} of ${figures.acknowledgedRows} acknowledged row changes missing, ${figures.twice} twice, ${figures.wrong} wrong; ${figures.failedReads} of ${figures.strongReads} strong reads and ${seen.failed} of ${seen.searches} searches failed`,
    cost: `changes acknowledged ${median(gapsMs)} ms (median), ${maximum(gapsMs)} ms (max) after it was back; slowest search ${seen.slowestMs} ms`,
  };
}

async function locked(path: string, durationMs: number): Promise<void> {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  try {
    db.exec('BEGIN IMMEDIATE');
    await sleep(durationMs);
    db.exec('ROLLBACK');
  } finally {
    db.close();
  }
}
