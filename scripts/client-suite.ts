// Runs the official Node client's own tests against a cluster of real processes, one spec after another, and prints a JSON line for
// each and their sum. The tests are its authors': give a checkout of milvus-io/milvus-sdk-node, installed, in --checkout.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { SUITE_SPECS } from './node-client-suite.ts';
import { Cluster } from '../src/cli/cluster/cluster.ts';
import { nodeTimers } from '../src/host/node/index.ts';

const { values: flags } = parseArgs({
  options: {
    checkout: { type: 'string' },
    specs: { type: 'string', default: SUITE_SPECS.join(',') },
    verbose: { type: 'boolean', default: false },
  },
});
if (flags.checkout === undefined) {
  process.stderr.write('usage: npm run client-suite -- --checkout DIRECTORY [--specs A,B] [--verbose]\n');
  process.exit(2);
}
const checkout = flags.checkout;
/** The address in the suite's own files. */
const PORT = 19_530;
const MANAGEMENT_PORT = 9_091;

interface SpecOutcome {
  readonly spec: string;
  readonly tests: number;
  readonly passed: number;
  readonly failures: readonly string[];
}

/** What jest writes with `--json`, as far as it is read. */
interface JestReport {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

async function runSpec(spec: string, directory: string): Promise<SpecOutcome> {
  const report = join(directory, `${spec}.json`);
  const jest = spawn(
    join(checkout, 'node_modules', '.bin', 'jest'),
    [`test/grpc/${spec}.spec.ts`, '--json', `--outputFile=${report}`, '--forceExit'],
    {
      cwd: checkout,
      env: { ...process.env, NODE_ENV: 'dev', PATH: systemPath() },
      stdio: ['ignore', 'ignore', flags.verbose ? 'inherit' : 'ignore'],
    },
  );
  await once(jest, 'exit');
  const { numTotalTests, numPassedTests, testResults } = JSON.parse(
    await readFile(report, 'utf8'),
  ) as JestReport;
  const failures = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
    .map(({ fullName }) => fullName);
  return { spec, tests: numTotalTests, passed: numPassedTests, failures };
}

/** The suite runs with the Node of the machine, not with the one pinned here. */
function systemPath(): string {
  const own = join(import.meta.dirname, '..', 'node_modules');
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((part) => !part.startsWith(own) && !part.endsWith(join('node_modules', '.bin')))
    .join(delimiter);
}

await access(join(checkout, 'node_modules', '.bin', 'jest'));
const directory = await mkdtemp(join(tmpdir(), 'mishards-client-suite-'));
try {
  await using _cluster = await Cluster.start(
    {
      writers: 2,
      readers: 3,
      proxies: 2,
      dataDirectory: join(directory, 'data'),
      port: PORT,
      managementPort: MANAGEMENT_PORT,
      arguments: ['--set', 'telemetry.log_level=error'],
    },
    { timers: nodeTimers, onLine: () => {}, onExit: (id, reason) => console.error(`${id}: ${reason}`) },
  );
  let [tests, passed] = [0, 0];
  for (const spec of flags.specs.split(',')) {
    const outcome = await runSpec(spec, directory);
    tests += outcome.tests;
    passed += outcome.passed;
    console.log(JSON.stringify(outcome));
  }
  console.log(JSON.stringify({ spec: 'all of these', tests, passed }));
} finally {
  await rm(directory, { recursive: true, force: true });
}
