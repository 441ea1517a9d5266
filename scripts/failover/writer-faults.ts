import { setTimeout as sleep } from 'node:timers/promises';
import { median, maximum, type FaultResult } from './fault-result.ts';
import { until, type Scene } from '../cluster/scene.ts';
import { countWhere, createVersioned } from '../cluster/strong-reads.ts';
import { WriteStorm } from '../cluster/write-storm.ts';
import type { WriterLeader } from '../../src/catalog/model.ts';
import { SeededRandom, type Random } from '../../src/host/index.ts';
import { indexAndLoad } from '../../test/support/points.ts';

export interface FaultOptions {
  readonly rounds: number;
  readonly seed: number;
}

/** Longer than `writer.lease_ttl`. */
const STOPPED_MS = 7_000;
/** Around `writer.lease_ttl`: connections may outlive the lease, and the lease the stop. */
const DOZE_MS = { least: 2_400, most: 4_000 };
const FLUSH_EVERY_MS = 700;
const ROUND_MAX_MS = 1_500;

/** kill -9 of whoever writes, at random moments. */
export async function killWriter(scene: Scene, options: FaultOptions): Promise<FaultResult> {
  return await throughFaults(scene, 'kill -9 of the active writer', options, async ({ nodeId, epoch }) => {
    const { pid } = scene.member(nodeId);
    scene.kill(nodeId);
    await takenOver(scene, epoch);
    return async () => await scene.restarted(nodeId, pid);
  });
}

/** kill -9 of whoever writes, and again of each process the supervisor starts for it, until the standby writes. */
export async function loseWriter(scene: Scene, options: FaultOptions): Promise<FaultResult> {
  const fault = 'kill -9 of the active writer, which stays away';
  return await throughFaults(scene, fault, options, async ({ nodeId }) => {
    const { pid } = scene.member(nodeId);
    scene.kill(nodeId);
    await until('the standby writes', async () => {
      if (scene.member(nodeId).pid !== pid) scene.kill(nodeId);
      return ((await scene.status()).writer?.nodeId ?? nodeId) !== nodeId;
    });
    const { pid: lastPid } = scene.member(nodeId);
    scene.kill(nodeId);
    return async () => await scene.restarted(nodeId, lastPid);
  });
}

/** The active writer sleeps past its lease and wakes with requests it took before. */
export async function stopWriter(scene: Scene, options: FaultOptions): Promise<FaultResult> {
  const fault = `SIGSTOP of the active writer for ${STOPPED_MS / 1000} s`;
  return await throughFaults(scene, fault, options, async ({ nodeId, epoch }) => {
    await stopFor(scene, nodeId, STOPPED_MS);
    await takenOver(scene, epoch);
    return async () => await sleep(1_000);
  });
}

/** The active writer wakes about when its lease ends. */
export async function dozeWriter(scene: Scene, options: FaultOptions): Promise<FaultResult> {
  const { least, most } = DOZE_MS;
  const fault = `SIGSTOP of the active writer for ${least / 1000} to ${most / 1000} s`;
  return await throughFaults(scene, fault, options, async ({ nodeId }, random) => {
    await stopFor(scene, nodeId, least + random.below(most - least));
    return async () => await sleep(1_000);
  });
}

async function stopFor(scene: Scene, id: string, durationMs: number): Promise<void> {
  scene.signal(id, 'SIGSTOP');
  try {
    await sleep(durationMs);
  } finally {
    scene.signal(id, 'SIGCONT');
  }
}

async function takenOver(scene: Scene, epoch: number): Promise<void> {
  await until('a writer of a higher epoch', async () => ((await scene.status()).writer?.epoch ?? 0) > epoch);
}

/** Resolves when changes can be expected to be acknowledged again, with what to wait for before the next round. */
type Strike = (writer: WriterLeader, random: Random) => Promise<() => Promise<void>>;

/** One round: wait for a random moment, fault, wait for acknowledgements and for the victim's return, compare everything. */
async function throughFaults(
  scene: Scene,
  fault: string,
  { rounds, seed }: FaultOptions,
  strike: Strike,
): Promise<FaultResult> {
  const random = new SeededRandom(seed).fork(fault);
  const [client] = scene.clients;
  const collection = `changes_${fault.replace(/\W+/g, '_')}`;
  await createVersioned(client!, collection);
  await indexAndLoad(client!, collection, 2);
  // The other proxy learns of it a moment later.
  await until('every proxy answers for the collection', async () => {
    const answers = scene.clients.map((each) => countWhere(each, collection, '').catch(() => null));
    return !(await Promise.all(answers)).includes(null);
  });
  const gapsMs: number[] = [];
  let byStandby = 0;
  await using storm = new WriteStorm(scene.clients, collection, seed);
  await using flushes = new Flushes(() => client!.flush({ collection_names: [collection] }));
  for (let round = 0; round < rounds; round++) {
    await sleep(500 + random.below(ROUND_MAX_MS));
    const writer = await activeWriter(scene);
    const struckAtMs = performance.now();
    const recovered = await strike(writer, random);
    const struckUntilMs = performance.now();
    await until('changes are acknowledged', () => storm.isAcknowledgedSince(struckUntilMs));
    gapsMs.push(storm.longestGapMs(struckAtMs));
    if ((await activeWriter(scene)).nodeId !== writer.nodeId) byStandby++;
    await recovered();
    await storm.verify();
  }
  await flushes[Symbol.asyncDispose]();
  await storm.verify();
  const figures = storm.figures;
  return {
    fault,
    times: rounds,
    figures: {
      ...figures,
      flushes: flushes.count,
      takenOverByStandby: byStandby,
      gapMedianMs: median(gapsMs),
      gapMaxMs: maximum(gapsMs),
      problems: storm.problems,
      readErrors: storm.readErrors,
    },
    isGood: figures.missing + figures.twice + figures.wrong + figures.failedReads === 0,
    lost: `${figures.missing} of ${figures.acknowledgedRows} acknowledged row changes missing, ${figures.twice} twice, ${figures.wrong} wrong; ${figures.failedReads} of ${figures.strongReads} strong reads failed`,
    cost: `${byStandby} takeovers by the standby; no acknowledgement for ${median(gapsMs)} ms (median), ${maximum(gapsMs)} ms (max)`,
  };
}

async function activeWriter(scene: Scene): Promise<WriterLeader> {
  let found: WriterLeader | null = null;
  await until('there is a writer', async () => (found = (await scene.status()).writer) !== null);
  return found!;
}

/** Flushes all the time, so that faults meet flushes, segments and deltas too. */
class Flushes implements AsyncDisposable {
  readonly #over = new AbortController();
  readonly #done: Promise<void>;
  count = 0;

  constructor(flush: () => Promise<unknown>) {
    this.#done = this.#run(flush);
  }

  async #run(flush: () => Promise<unknown>): Promise<void> {
    while (!this.#over.signal.aborted) {
      await flush().then(
        () => this.count++,
        () => undefined,
      );
      await sleep(FLUSH_EVERY_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#done;
  }
}
