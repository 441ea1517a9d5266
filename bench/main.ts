// `npm run bench -- <name> [options]`: each bench prints one JSON line a result.
const BENCHES: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>>> = {
  filtered: () => import('./cluster/filtered.ts'),
  filter: () => import('./filter/filter-bench.ts'),
  hop: () => import('./cluster/hop.ts'),
  ingest: () => import('./cluster/ingest.ts'),
  kernel: () => import('./kernel/kernel-bench.ts'),
  'kernel-bytes': () => import('./kernel/bytes-bench.ts'),
  'kernel-plot': () => import('./kernel/plot.ts'),
  'kernel-sparse': () => import('./kernel/sparse-bench.ts'),
  'kernel-threads': () => import('./kernel/threads-bench.ts'),
  memory: () => import('./cluster/memory.ts'),
  'search-while-inserting': () => import('./cluster/search-while-inserting.ts'),
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
