import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, sourceFiles } from './source-files.ts';

const LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;
const all = ['src', 'test', 'scripts', 'bench', 'examples'].flatMap((folder) => sourceFiles(folder));

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const long = all
    .filter((file) => file.lines.length > LINES_MAX)
    .map((file) => `${file.path}: ${file.lines.length}`);
  assert.deepEqual(long, []);
});

test(`no function under src is longer than ${FUNCTION_LINES_MAX} lines`, () => {
  // Formatted code closes a function at the indentation that opened it.
  const opening =
    /^(\s*)(?:export )?(?:async )?(?:function\b.*|(?:static |async |override |get |#)*[\w#]+(?:<.*>)?\(.*\).*|.*=> )\{$/;
  const long = sourceFiles('src')
    .filter((file) => !file.isTest)
    .flatMap((file) =>
      file.lines.flatMap((line, index) => {
        const indent = opening.exec(line)?.[1];
        if (indent === undefined || /^\s*(if|for|while|switch|return|describe|test)\b/.test(line)) return [];
        const length = file.lines.slice(index + 1).findIndex((later) => later.startsWith(`${indent}}`)) + 2;
        // A factory whose body is a returned object is measured by its methods.
        return length > FUNCTION_LINES_MAX ? [`${file.path}:${index + 1}: ${length} lines`] : [];
      }),
    );
  assert.deepEqual(long, []);
});

test('file names are kebab-case', () => {
  const wrong = all.filter(
    (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(file.path.split('/').at(-1)!),
  );
  assert.deepEqual(
    wrong.map((file) => file.path),
    [],
  );
});

test('every source file is used', () => {
  const entries = new Set(['src/cli/main.ts']);
  const used = new Set(all.flatMap(importsOf).map(({ target }) => target));
  const dead = sourceFiles('src').filter(
    (file) => !file.isTest && !used.has(file.path) && !entries.has(file.path),
  );
  assert.deepEqual(
    dead.map((file) => file.path),
    [],
  );
});

test('error texts are lowercase and have no full stop', () => {
  const thrown = /new MishardsError\(\s*'[A-Z_]+',\s*(['"`])((?:(?!\1).)*)\1/gs;
  const wrong = sourceFiles('src')
    .filter((file) => !file.isTest)
    .flatMap((file) =>
      [...file.text.matchAll(thrown)]
        .map((match) => match[2]!)
        .filter((message) => /^[A-Z][a-z]/.test(message) || message.endsWith('.'))
        .map((message) => `${file.path}: ${message}`),
    );
  assert.deepEqual(wrong, []);
});

test('no file names a path of one machine or a registry', () => {
  const traces = /\/work\/|\/root\/|registry\.npmjs|pypi\.org/;
  const wrong = all.filter((file) => traces.test(file.text) && !file.path.startsWith('test/tidy/'));
  assert.deepEqual(
    wrong.map((file) => file.path),
    [],
  );
});
