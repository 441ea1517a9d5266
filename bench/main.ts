// `npm run bench -- <name> [options]`: each bench prints one JSON line a result.
const BENCHES: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>>> = {
  hop: () => import('./cluster/hop.ts'),
  kernel: () => import('./kernel/kernel-bench.ts'),
  proxy: () => import('./proxy/plan-merge.ts'),
};

const [name, ...args] = process.argv.slice(2);
const load = name === undefined ? undefined : BENCHES[name];
if (load === undefined) {
  process.stderr.write(
    `usage: npm run bench -- <name> [options]; names: ${Object.keys(BENCHES).join(', ')}\n`,
  );
  process.exit(2);
}
await (await load()).run(args);
