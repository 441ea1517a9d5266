import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFilter } from '../../../test/support/filter/random-filters.ts';
import { schemaOfAllTypes } from '../../../test/support/random-rows.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { isErrorWithCode } from '../../errors/index.ts';
import { SeededRandom, type Random } from '../../host/random.ts';
import { compileFilter } from '../compile/compile-filter.ts';
import { formatFilter } from './format-filter.ts';
import { parseFilter } from './parse-filter.ts';

const schema = schemaOfAllTypes('Int64', 2);
const PIECES = [
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '\\',
    'r"',
    '$',
    '$meta',
    '#',
    '\n',
    ' ',
    '.',
    '\ud800',
    '\0',
  ],
  ...[
    '<',
    '<=',
    '==',
    '!=',
    '=',
    '!',
    '~',
    '&',
    '&&',
    '|',
    '||',
    '^',
    '<<',
    '+',
    '-',
    '*',
    '**',
    '/',
    '%',
    '=~',
  ],
  ...[
    'and',
    'or',
    'not',
    'in',
    'like',
    'is',
    'null',
    'exists',
    'true',
    'False',
    'array_length(',
    'json_contains(',
  ],
  ...['Int8', 'VarChar', 'JSON', 'ArrayInt64', 'FloatVector', 'k', 'é', '😀', '{x}', '[0]', '["k"]'],
  ...[
    '0',
    '1',
    '09',
    '0x',
    '1e',
    '1.5',
    '9223372036854775808',
    '1e400',
    '"a"',
    '"\\u"',
    '"\\ud800"',
    '__proto__',
  ],
];

/** Any text either compiles or fails with the one error there is. Returns whether it compiled. */
function compiles(text: string): boolean {
  try {
    compileFilter(parseFilter(text), schema, { x: 1n });
    return true;
  } catch (error) {
    assert.ok(isErrorWithCode(error, 'FILTER_INVALID'), `${JSON.stringify(text)} threw ${String(error)}`);
    assert.match(error.message, /^filter at character \d+: [^]*[^.]$/);
    return false;
  }
}

function randomBytes(random: Random): string {
  const length = random.below(60);
  return Buffer.from(Array.from({ length }, () => random.below(256))).toString(
    random.below(2) === 0 ? 'latin1' : 'utf8',
  );
}

function randomPieces(random: Random): string {
  const pieces = Array.from({ length: random.below(25) }, () => PIECES[random.below(PIECES.length)]!);
  return pieces.join(random.below(2) === 0 ? ' ' : '');
}

/** A valid filter with a few pieces cut, doubled, swapped or put in. */
function mutated(random: Random): string {
  let text = formatFilter(randomFilter(random, schema, 3));
  for (let change = 1 + random.below(4); change > 0; change--) {
    const [first, second] = [random.below(text.length + 1), random.below(text.length + 1)];
    const [from, to] = [Math.min(first, second), Math.max(first, second)];
    const piece = random.below(2) === 0 ? '' : PIECES[random.below(PIECES.length)]!;
    const isCut = random.below(2) === 0 && to - from < 10;
    text = text.slice(0, from) + piece + text.slice(isCut ? to : from);
  }
  return text;
}

for (const [name, make] of Object.entries({ randomBytes, randomPieces, mutated })) {
  test(`no text crashes the parser: ${name} (seed ${testSeed})`, () => {
    const random = new SeededRandom(testSeed).fork(name);
    let valid = 0;
    for (let index = 0; index < 3000; index++) if (compiles(make(random))) valid++;
    assert.ok(valid < 3000, 'some texts are wrong');
    if (make === mutated)
      assert.ok(valid > 100, `only ${valid} mutants still compile: too little of the compiler is reached`);
  });
}
