import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fieldOf, schemaOf } from '../../test/support/random-rows.ts';
import { isErrorWithCode } from '../errors/index.ts';
import type { DataType, ElementType } from '../schema/index.ts';
import { compileFilter, DEFAULT_FILTER_LIMITS, FILTER_FUNCTIONS, parseFilter } from './index.ts';
import { LEVELS } from './syntax/operators.ts';

const page = readFileSync(new URL('../../docs/reference/filter.md', import.meta.url), 'utf8');
const PARAMETERS = { ids: [1n, 2n], city: 'Seoul' };

/** Rows of the table under a header, as cells. */
function tableOf(header: string): string[][] {
  const [, after] = page.split(`${header}\n`);
  assert.ok(after !== undefined, `the page has the table ${header}`);
  const lines = after.split('\n').slice(1);
  const rows = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('|')),
  );
  return rows.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]!.replaceAll('\\|', '|'));
}

const schema = schemaOf(
  tableOf('| field | type |').map(([name, type], index) => {
    const words = type!.replace(',', '').split(' ');
    const isDynamic = type === 'the dynamic field';
    return fieldOf({
      id: 100 + index,
      name: codeIn(name!)[0]!,
      type: isDynamic ? 'JSON' : (words[0] as DataType),
      elementType: words[0] === 'Array' ? (words[2] as ElementType) : null,
      isDynamic,
      isPrimaryKey: type!.includes('primary key'),
    });
  }),
);
const operators = tableOf('| operators | example | on |');
const tests = tableOf('| test | example | true of |');
const values = tableOf('| what | example |');

function compiles(text: string): boolean {
  try {
    compileFilter(parseFilter(text), schema, PARAMETERS);
    return true;
  } catch (error) {
    assert.ok(isErrorWithCode(error, 'FILTER_INVALID'), String(error));
    return false;
  }
}

test('every example of the reference compiles', () => {
  const examples = [...operators, ...tests, ...values].flatMap(([, example]) => codeIn(example!));
  assert.ok(examples.length >= 35, `${examples.length} examples are found`);
  for (const example of examples)
    assert.doesNotThrow(() => compileFilter(parseFilter(example), schema, PARAMETERS), example);
});

test('the reference has every operator in the order they bind, and every function', () => {
  const infix = operators.map(([names]) => codeIn(names!).filter((name) => Object.hasOwn(LEVELS, name)));
  const levels = infix.map((names) => new Set(names.map((name) => LEVELS[name as keyof typeof LEVELS])));
  // Signs share their symbols with sums, so their line is left out.
  const binary = levels.filter((_, index) => !operators[index]![0]!.includes('~'));
  assert.ok(
    binary.every((group) => group.size <= 1),
    'operators of one line bind alike',
  );
  const order = binary.flatMap((group) => [...group]);
  assert.deepEqual(
    order,
    order.toSorted((left, right) => right - left),
  );
  assert.deepEqual(new Set(infix.flat()), new Set(Object.keys(LEVELS)));
  const functions = tests.flatMap(([names]) => codeIn(names!));
  for (const name of FILTER_FUNCTIONS) assert.ok(functions.includes(name), name);
});

test('what the reference says is refused is refused, and what it says is taken is taken', () => {
  assert.equal(compiles('flags & 4 == 4'), false);
  assert.equal(compiles('age == "x"'), false);
  assert.equal(compiles('text_match(name, "x")'), false);
  const section = page.split('## More than Milvus takes\n')[1]!.split('##')[0]!;
  const conditions = codeIn(section).filter(
    (code) => /\w/.test(code) && !code.startsWith('r"') && code !== '0o17',
  );
  assert.ok(conditions.length >= 5);
  for (const condition of conditions) assert.ok(compiles(condition), condition);
});

test('the limits of the reference are those of the code', () => {
  const limits = tableOf('| what | at most |').map(([, value]) => Number(value));
  assert.deepEqual(limits, Object.values(DEFAULT_FILTER_LIMITS));
});
