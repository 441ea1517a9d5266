import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './source-files.ts';
import { REFERENCE_PAGES } from '../../scripts/reference-pages.ts';

for (const [name, text] of REFERENCE_PAGES) {
  test(`docs/reference/${name} is what the code says (npm run docs)`, () => {
    assert.ok(readFileSync(join(ROOT, 'docs', 'reference', name), 'utf8') === text, 'run npm run docs');
  });
}

const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'STYLE.md', 'CHANGELOG.md'].concat(
  readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
);

test('every link between our pages leads somewhere', () => {
  const broken = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => match[1]!)
      .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('the tree in ARCHITECTURE.md names every room of src', () => {
  const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const rooms = readdirSync(join(ROOT, 'src'));
  assert.deepEqual(
    rooms.filter((room) => !text.includes(`src/${room}`)),
    [],
  );
});
