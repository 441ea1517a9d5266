import assert from 'node:assert/strict';
import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes, pick } from '../mutate.ts';
import { compileFilter, evaluateFilter, formatFilter, parseFilter } from '../../../src/filter/index.ts';
import { SeededRandom, type Random } from '../../../src/host/index.ts';
import { randomFilter, randomFilterRows } from '../../../test/support/filter/random-filters.ts';
import { testRows } from '../../../test/support/filter/filtered-rows.ts';
import { schemaOfAllTypes } from '../../../test/support/random-rows.ts';

const schema = schemaOfAllTypes('Int64', 2);
const rows = testRows(schema, randomFilterRows(new SeededRandom(1), schema, 20));
const source = { column: (fieldId: number) => rows.columns.get(fieldId) ?? null };
const PIECES =
  `( ) [ ] { } , " ' \\ r" $ $meta # . < <= == != = ! ~ & && | || ^ << >> + - * ** / % =~ and or not in like is
  null exists true False array_length( json_contains( 0 -0 1.5 1e400 9223372036854775808 0x 0b1 "a" "\\u" {x} __proto__`
    .split(/\s+/)
    .concat('\n', '\0', '\ud800', '((((((((((', '----------', '!!!!!!!!!!');

/** Filters as clients send them. What compiles is evaluated; what parses has a text that parses to the same. */
export const filterTarget: FuzzTarget = {
  seeds: (random) =>
    Array.from({ length: 400 }, () => Buffer.from(formatFilter(randomFilter(random, schema, 3)))),
  mutate: (random, seeds) =>
    random.below(4) === 0 ? mutateBytes(random, seeds) : withPieces(random, pick(random, seeds)),
  run(input) {
    const text = Buffer.from(input).toString();
    const node = parseFilter(text);
    const formatted = formatFilter(node);
    assert.equal(formatFilter(parseFilter(formatted)), formatted);
    evaluateFilter(compileFilter(node, schema, { x: 1n }), source, rows.rowCount);
  },
};

function withPieces(random: Random, seed: Uint8Array): Uint8Array {
  let text = Buffer.from(seed).toString();
  for (let change = 1 + random.below(4); change > 0; change--) {
    const from = random.below(text.length + 1);
    const cut = random.below(2) * random.below(10);
    const piece = random.below(3) === 0 ? '' : pick(random, PIECES);
    text =
      text.slice(0, from) + piece.repeat(1 + (random.below(20) === 0 ? 300 : 0)) + text.slice(from + cut);
  }
  return Buffer.from(text);
}
