// `node open-apart.ts VECTORS [INDEX]`: opens the index, or without one the vectors, and prints by how much that made this
// process's anonymous memory grow. Apart, because a process that has built indexes has memory to use again.
import { createKernel } from '../../src/kernel/index.ts';
import { anonymousBytes } from '../support/process-use.ts';

const [vectors, index] = process.argv.slice(2);
if (vectors === undefined) throw new Error('usage: open-apart.ts VECTORS [INDEX]');
await using kernel = createKernel({ threads: 1, queueMax: 1 });
// The first look takes memory itself.
anonymousBytes(process.pid);
const start = anonymousBytes(process.pid);
using file = await kernel.openVectors(vectors);
const before = index === undefined ? start : anonymousBytes(process.pid);
using opened = index === undefined ? file : await kernel.openIndex(index, file);
process.stdout.write(`${Math.max(0, anonymousBytes(process.pid) - before)}\n`);
void opened;
