// Kills and stops the processes of a real cluster under load, and compares what clients see with what they were told.
import { parseArgs } from 'node:util';
import { lockMetastore } from './failover/metastore-faults.ts';
import { tableOf, type FaultResult } from './failover/fault-result.ts';
import { Scene } from './cluster/scene.ts';
import { killProxy, killReader, prepareSearches, stopReader } from './failover/search-faults.ts';
import { dozeWriter, killWriter, loseWriter, stopWriter } from './failover/writer-faults.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(process.pid) },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const rounds = Number(flags.rounds);
const seed = Number(flags.seed);
// Stops take long and are less of a lottery than kills.
const few = { rounds: Math.max(1, Math.ceil(rounds / 5)), seed };
const half = { rounds: Math.max(1, Math.ceil(rounds / 2)), seed };
const many = { rounds, seed };

const results: FaultResult[] = [];
await using scene = await Scene.open({
  writers: 2,
  readers: 3,
  proxies: 2,
  say: (line) => (flags.verbose ? process.stderr.write(`${line}\n`) : undefined),
});

async function run(name: string, fault: () => Promise<FaultResult>): Promise<void> {
  if (flags.only !== undefined && !flags.only.split(',').includes(name)) return;
  const result = await fault();
  results.push(result);
  console.log(JSON.stringify({ name, seed, ...result }));
  if (!result.isGood) process.exitCode = 1;
}

await run('kill-writer', () => killWriter(scene, many));
await run('lose-writer', () => loseWriter(scene, half));
await run('stop-writer', () => stopWriter(scene, few));
await run('doze-writer', () => dozeWriter(scene, half));
const searched = await prepareSearches(scene, seed);
await run('kill-reader', () => killReader(scene, searched, many));
await run('stop-reader', () => stopReader(scene, searched, few));
await run('lock-metastore', () => lockMetastore(scene, searched, few));
await run('kill-proxy', () => killProxy(scene, searched, half));
console.log(tableOf(results));
