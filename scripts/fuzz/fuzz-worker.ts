// One target on a thread of its own, so that a hang can be seen and ended. Tells the runner how far it is in shared memory.
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import type { Finding, FuzzTask } from './fuzz-runner.ts';
import { mutateBytes } from './mutate.ts';
import { FUZZ_TARGETS } from './targets.ts';
import { MishardsError } from '../../src/errors/index.ts';
import { SeededRandom, type Random } from '../../src/host/index.ts';

const FINDINGS_MAX = 5;
/** Memory outside the heap one input may take, for the first pages of pools and files in memory. */
const ALLOCATION_BYTES_MAX = 32 * 2 ** 20;
/** Of this thread's processor time, which other work on the machine does not lengthen. */
const SLOW_MS = 1_000;

const { name, runs, seed, first, progress } = workerData as FuzzTask;
const target = await FUZZ_TARGETS[name]!();
const random = new SeededRandom(seed);
const seeds = await target.seeds(random.fork('seeds'));
const findings: Finding[] = [];
let refused = 0;

for (const input of seeds) await target.run(input, random.fork('seed'));
for (let run = first; run < first + runs && findings.length < FINDINGS_MAX; run++) {
  progress[0] = run;
  const own = random.fork(`run ${run}`);
  const input = target.mutate?.(own, seeds) ?? mutateBytes(own, seeds);
  const problem = await problemWith(input, own);
  if (problem !== null) findings.push({ run, problem, input: Buffer.from(input).toString('base64') });
}
parentPort!.postMessage({ refused, findings });

async function problemWith(input: Uint8Array, own: Random): Promise<string | null> {
  const start = process.threadCpuUsage();
  const bytesBefore = getHeapStatistics().external_memory;
  try {
    const running = target.run(input, own);
    if (running !== undefined) await running;
  } catch (error) {
    if (!(error instanceof MishardsError)) return (error as Error).stack ?? String(error);
    if (error.code === 'INTERNAL') return `told as a defect: ${error.stack}`;
    refused++;
  }
  const grownBytes = getHeapStatistics().external_memory - bytesBefore;
  if (grownBytes > ALLOCATION_BYTES_MAX) return `took ${grownBytes} bytes for ${input.byteLength}`;
  const { user, system } = process.threadCpuUsage(start);
  const usedMs = (user + system) / 1_000;
  return usedMs > SLOW_MS ? `took ${Math.round(usedMs)} ms of processor time` : null;
}
