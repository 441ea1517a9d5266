// Runs the tests with Node's own runner: all of them, or the files that are named.
import { spawnSync } from 'node:child_process';

const ALL = ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'];
const named = process.argv.slice(2);
const result = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-timeout=300000', ...(named.length > 0 ? named : ALL)],
  { stdio: 'inherit' },
);
process.exit(result.status ?? 1);
