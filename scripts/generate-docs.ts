// Writes the pages of docs/reference that are made from code; `--check` only says which are out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFERENCE_PAGES } from './reference-pages.ts';

const check = process.argv.includes('--check');
let stale = 0;
for (const [name, text] of REFERENCE_PAGES) {
  const path = join(import.meta.dirname, '..', 'docs', 'reference', name);
  if (!check) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    stale++;
    console.error(`docs/reference/${name} is out of date; run "npm run docs"`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
