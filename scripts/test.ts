// Runs the test suites with Node's own runner: `npm test` the ones that need no service, `--services` the others.
import { spawnSync } from 'node:child_process';

const services = process.argv.includes('--services');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const all = services ? ['test/services/**/*.test.ts'] : ['src/**/*.test.ts', 'test/!(services)/**/*.test.ts'];
const result = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-timeout=300000', ...(named.length > 0 ? named : all)],
  { stdio: 'inherit' },
);
process.exit(result.status ?? 1);
