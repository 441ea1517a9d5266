import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isErrorWithCode } from '../../errors/index.ts';
import { DEFAULT_FILTER_LIMITS } from '../filter-limits.ts';
import { formatFilter } from './format-filter.ts';
import { parseFilter } from './parse-filter.ts';

function expectCanonical(cases: Readonly<Record<string, string>>): void {
  for (const [text, canonical] of Object.entries(cases)) {
    assert.equal(formatFilter(parseFilter(text)), canonical, text);
    assert.equal(formatFilter(parseFilter(canonical)), canonical);
  }
}

function expectError(text: string, message: string, limits = DEFAULT_FILTER_LIMITS): void {
  assert.throws(
    () => parseFilter(text, limits),
    (error) => isErrorWithCode(error, 'FILTER_INVALID') && error.message === message,
    text.slice(0, 100),
  );
}

test('operators bind as in Milvus', () => {
  expectCanonical({
    'a + b * c == d': 'a + b * c == d',
    '(a + b) * c == d': '(a + b) * c == d',
    'a - (b - c) == d - e - f': 'a - (b - c) == d - e - f',
    '2 ** 3 ** 2 == a': '2 ** 3 ** 2 == a',
    '2 ** (3 ** 2) == a': '2 ** (3 ** 2) == a',
    '-2 ** 2 == a': '-(2 ** 2) == a',
    '- a * b == ~ c': '-a * b == ~c',
    '-(-5) == a': '-(-5) == a',
    'a << 1 + 2 == b': 'a << 1 + 2 == b',
    'a & b == c': 'a & b == c',
    '(a & b) == c': '(a & b) == c',
    'a | b ^ c & d': 'a | b ^ c & d',
    '(a | b) & c': '(a | b) & c',
    'a or b and not c': 'a or b and not c',
    '(a or b) and not (c or d)': '(a or b) and not (c or d)',
    'a || b && ! c': 'a or b and not c',
    'NOT NOT a': 'not not a',
    'not a > 1 and b': 'not a > 1 and b',
    'a == (not b)': 'a == (not b)',
    'a == !b': 'a == (not b)',
    '(a < b) < c': '(a < b) < c',
    '1 < a < 2 == b': '1 < a < 2 == b',
    'a + 1 in [1] == b': 'a + 1 in [1] == b',
    'a not in [1] or b NOT LIKE "x"': 'a not in [1] or b not like "x"',
    'not a like "x"': 'not a like "x"',
    'exists a["b"] and c': 'exists a["b"] and c',
    '(a and b) and c': '(a and b) and c',
    'a IS NOT NULL or b  is   null': 'a is not null or b is null',
    'a[0]["x"][1] == {value}': 'a[0]["x"][1] == {value}',
  });
});

test('names, keywords and functions', () => {
  expectCanonical({
    'And == 1': 'And == 1',
    'is == null_': 'is == null_',
    'array_length == 1': 'array_length == 1',
    'Array_Length(a) == 1': 'array_length(a) == 1',
    'JSON_CONTAINS(a, 1,)': 'json_contains(a, 1)',
    '$meta["x"] == True': '$meta["x"] == true',
    '名前 == "値"': '名前 == "値"',
    'r == R': 'r == R',
    in_: 'in_',
  });
});

test('numbers', () => {
  expectCanonical({
    '0x1F': '31',
    '0b101': '5',
    '0o17': '15',
    '017': '15',
    '0': '0',
    '-9223372036854775808': '-9223372036854775808',
    '-0x8000000000000000': '-9223372036854775808',
    '1.': '1.0',
    '.5': '0.5',
    '1e3': '1000.0',
    '1E-7': '1e-7',
    '0x1.8p1': '3.0',
    '0x10p-1': '8.0',
    '-0.0': '-0.0',
    '1e21': '1e+21',
  });
});

test('strings', () => {
  expectCanonical({
    "'it\\'s'": '"it\'s"',
    '"a\\n\\t\\\\\\""': '"a\\n\\t\\\\\\""',
    '"\\u00e9\\U0001F600\\ud83d\\ude00"': '"é😀😀"',
    '"\\x41\\101\\0"': '"AA\\u0000"',
    '"50\\% \\_ \\d"': '"50\\\\% \\\\_ \\\\d"',
    'r"\\d\\"x"': '"\\\\d\\\\\\"x"',
    '"two\nlines"': '"two\\nlines"',
    '"joined\\\nlines"': '"joinedlines"',
  });
});

test('blank text is true', () => {
  assert.deepEqual(parseFilter(' \r\n'), { kind: 'literal', at: 0, value: true });
});

test('positions are those of the text', () => {
  const node = parseFilter('  a > 1 and b');
  assert.equal(node.at, 8);
  assert.ok(node.kind === 'and');
  assert.deepEqual(
    node.operands.map((operand) => operand.at),
    [4, 12],
  );
});

test('mistakes are named with their place and their cure', () => {
  const functions =
    'array_contains, array_contains_all, array_contains_any, array_length, json_contains, json_contains_all, json_contains_any, ' +
    'st_contains, st_crosses, st_dwithin, st_equals, st_intersects, st_isvalid, st_overlaps, st_touches, st_within';
  const cases: Readonly<Record<string, string>> = {
    'a = 1': "filter at character 3: '=' does not compare; write '=='",
    'a =~ "x"': "filter at character 3: regular expressions are not offered; use 'like'",
    'a ==': 'filter at character 5: the end stands where a field, a constant or a parenthesis is expected',
    'a == 1)': "filter at character 7: ')' stands where an operator or the end is expected",
    '(a == 1': "filter at character 8: the end stands where ')' is expected",
    'a b': "filter at character 3: 'b' stands where an operator or the end is expected",
    'a == "x': 'filter at character 6: the string has no closing "',
    'a == #': "filter at character 6: '#' is not part of the filter language",
    'a == 😀': "filter at character 6: '😀' is not part of the filter language",
    '1 < a > 2': "filter at character 7: '<' and '>' cannot be chained; join two comparisons with 'and'",
    'a == 12x': "filter at character 6: '12x' is neither a number nor a name",
    'a == 09': "filter at character 6: '09' is not octal; drop the leading zero",
    'a == 0x1.8': "filter at character 6: '0x1.8' needs a p exponent, as in 0x1.8p3",
    'a == 1e999': "filter at character 6: '1e999' is too large for a 64-bit float",
    'a == 9223372036854775808':
      "filter at character 6: integer '9223372036854775808' is outside the 64 bits of a signed integer",
    'a == "\\xff"': "filter at character 7: escape '\\xff' is out of range; use \\uXXXX or \\UXXXXXXXX",
    'a == "\\u12"': "filter at character 7: '\\u' needs 4 hexadecimal digits",
    'a == "\\ud83d"': 'filter at character 6: the string has half of a surrogate pair; escape both halves',
    'a is nil': "filter at character 6: 'nil' stands where 'null' or 'not null' is expected",
    'a[b] == 1': "filter at character 3: 'b' stands where a key in quotes or an index is expected",
    'a[""] == 1': "filter at character 3: string '' stands where a key in quotes or an index is expected",
    'a[-1] == 1': "filter at character 3: '-' stands where a key in quotes or an index is expected",
    'in == 1': "filter at character 1: 'in' stands where a field, a constant or a parenthesis is expected",
    'text_match(a, "b")': `filter at character 1: function 'text_match' is unknown; there are ${functions}`,
    'array_length(a, b)': 'filter at character 1: array_length takes 1 argument, not 2',
    'json_contains(a)': 'filter at character 1: json_contains takes 2 arguments, not 1',
    '{1}': 'filter at character 2: number 1 stands where the name of a template parameter is expected',
    'a == \ud800': 'filter at character 1: the text has half of a surrogate pair; send well-formed Unicode',
  };
  for (const [text, message] of Object.entries(cases)) expectError(text, message);
});

test('depth bombs are refused, deep but sane filters are not', () => {
  const limit = 'nests deeper than 200 levels; flatten it';
  const bombs = {
    parentheses: `${'('.repeat(100_000)}a`,
    lists: '['.repeat(100_000),
    not: `${'not '.repeat(100_000)}a`,
    '!': `${'!'.repeat(100_000)}a`,
    signs: `${'- '.repeat(100_000)}a`,
    exists: `${'exists '.repeat(100_000)}a`,
    sum: `a${' + 1'.repeat(100_000)}`,
    equals: `a${' == 1'.repeat(100_000)}`,
    calls: `${'array_length('.repeat(100_000)}a`,
    path: `a${'[0]'.repeat(100_000)}`,
  };
  for (const [name, text] of Object.entries(bombs)) {
    assert.throws(
      () => parseFilter(text),
      (error) =>
        isErrorWithCode(error, 'FILTER_INVALID') && (name === 'exists' || error.message.endsWith(limit)),
      name,
    );
  }
  assert.doesNotThrow(() => parseFilter(`${'('.repeat(150)}a > 1${')'.repeat(150)}`));
  assert.doesNotThrow(() =>
    parseFilter(Array.from({ length: 10_000 }, (_, index) => `a == ${index}`).join(' or ')),
  );
});

test('length and size are bounded', () => {
  const limits = { lengthMax: 20, depthMax: 5, nodesMax: 4 };
  expectError(
    `a == "${'x'.repeat(20)}"`,
    'filter at character 21: the filter has 27 characters, at most 20 are read; split it or pass values as parameters',
    limits,
  );
  expectError(
    'a in [1, 2, 3]',
    'filter at character 6: the filter has more than 4 parts; split it or use fewer values',
    limits,
  );
  assert.doesNotThrow(() => parseFilter('a in [1]', limits));
});
