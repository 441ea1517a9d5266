// Feeds changed inputs to everything that reads bytes from outside: refused with an error of ours, or right, and nothing else.
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz/fuzz-runner.ts';
import { FUZZ_TARGETS } from './fuzz/targets.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(process.pid) },
    from: { type: 'string', default: '0' },
  },
});
const known = Object.keys(FUZZ_TARGETS);
const names = positionals.length > 0 ? positionals : known;
for (const name of names) {
  if (!known.includes(name)) throw new Error(`no target ${name}; there are ${known.join(', ')}`);
}

let total = 0;
for (const name of names) {
  const result = await fuzz({
    name,
    runs: Number(flags.runs),
    seed: Number(flags.seed),
    first: Number(flags.from),
  });
  total += result.runs;
  console.log(JSON.stringify(result));
  for (const { run, problem } of result.findings) {
    console.error(`${name}, seed ${result.seed}, run ${run}: ${problem}`);
    process.exitCode = 1;
  }
}
console.log(`${total} inputs`);
