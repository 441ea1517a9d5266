// Fills the disk of a real cluster under load: what is told, what is lost, what still works, and how it goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Scene, until } from './cluster/scene.ts';
import { createVersioned } from './cluster/strong-reads.ts';
import { WriteStorm } from './cluster/write-storm.ts';
import { maximum, median, tableOf, type FaultResult } from './failover/fault-result.ts';
import { Ballast } from './storage/full-disk.ts';
import { onSmallDisk } from './storage/in-namespace.ts';
import { indexAndLoad, randomPoints, searchIds } from '../test/support/points.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(process.pid) },
    verbose: { type: 'boolean', default: false },
  },
});
const FULL_MS = 15_000;
/** Below `writer.disk_free_min`, and nothing at all. */
const LEFT = { little: 32 * 2 ** 20, nothing: 0 };

const rounds = Number(flags.rounds);
const parentDirectory = onSmallDisk(256);
await using scene = await Scene.open({
  writers: 2,
  readers: 2,
  proxies: 1,
  parentDirectory,
  say: (line) => (flags.verbose ? process.stderr.write(`${line}\n`) : undefined),
});
const [client] = scene.clients as [(typeof scene.clients)[0]];
const ballast = new Ballast(parentDirectory);

/** Rounds of load with so much space left for a while. */
async function fill(left: keyof typeof LEFT): Promise<FaultResult> {
  const pids = scene.members().map(({ pid }) => pid);
  const collection = `changes_${left}`;
  await createVersioned(client, collection);
  await indexAndLoad(client, collection, 2);
  const gapsMs: number[] = [];
  const failures = new Map<string, number>();
  const onFailure = (error: Error): void => {
    const text = error.message.replace(/\d{3,}/g, 'N');
    failures.set(text, (failures.get(text) ?? 0) + 1);
  };
  const searches = { done: 0, failed: 0 };
  await using storm = new WriteStorm(scene.clients, collection, Number(flags.seed), { restMs: 5, onFailure });
  for (let round = 0; round < rounds; round++) {
    await sleep(1_500);
    await client.flush({ collection_names: [collection] });
    await ballast.fillTo(LEFT[left]);
    const fullUntilMs = performance.now() + FULL_MS;
    while (performance.now() < fullUntilMs) {
      await searchIds(client, collection, randomPoints(1, searches.done)[0]!.vector, 10).catch(
        () => searches.failed++,
      );
      searches.done++;
      await sleep(50);
    }
    await ballast.free();
    const freeAtMs = performance.now();
    await until('changes are acknowledged', () => storm.isAcknowledgedSince(freeAtMs));
    gapsMs.push(performance.now() - freeAtMs);
    await storm.verify();
  }
  const restarted = scene.members().filter(({ pid }, index) => pid !== pids[index]).length;
  const { figures, problems, readErrors } = storm;
  const isNamed = (text: string): boolean => /disk/.test(text);
  const unnamed = [...failures].filter(([text]) => !isNamed(text)).reduce((sum, [, count]) => sum + count, 0);
  const bad = figures.missing + figures.twice + figures.wrong + figures.failedReads;
  return {
    fault: `disk with ${LEFT[left] / 2 ** 20} MiB left for ${FULL_MS / 1000} s`,
    times: rounds,
    figures: { ...figures, failures: Object.fromEntries(failures), problems, readErrors },
    isGood: bad + searches.failed + restarted + unnamed === 0 && failures.size > 0,
    lost: `${figures.missing} of ${figures.acknowledgedRows} acknowledged row changes missing, ${figures.twice} twice, ${figures.wrong} wrong; ${figures.failedReads} of ${figures.strongReads} strong reads and ${searches.failed} of ${searches.done} searches failed; ${restarted} processes restarted; ${unnamed} failures do not name the disk`,
    cost: `changes acknowledged ${median(gapsMs)} ms (median), ${maximum(gapsMs)} ms (max) after there was space`,
  };
}

const results: FaultResult[] = [];
for (const left of ['little', 'nothing'] as const) {
  const result = await fill(left);
  results.push(result);
  console.log(JSON.stringify(result));
  if (!result.isGood) process.exitCode = 1;
}
console.log(tableOf(results));
