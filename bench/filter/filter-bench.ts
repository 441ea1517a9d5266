// What a filter costs a segment: by a scan of its columns, by indexes, and when its result is kept. The way is that of a reader
// (`FilterResults`), each time with other constants, so that nothing is kept from the time before.
import { columnFromValues, type Column, type ColumnValue } from '../../src/columns/index.ts';
import {
  buildGeometryIndex,
  buildIndex,
  buildJsonIndex,
  compileFilter,
  parseFilter,
  type FieldIndex,
  type IndexSource,
} from '../../src/filter/index.ts';
import { encodeWkb, parseWkt } from '../../src/geometry/index.ts';
import { SeededRandom, Turns, type Random } from '../../src/host/index.ts';
import { createNodeHost } from '../../src/host/node/index.ts';
import type { BoundFilter } from '../../src/reader/filter-cache.ts';
import { FilterResults } from '../../src/reader/filter-results.ts';
import type { ReadSource } from '../../src/reader/read-source.ts';
import { fieldOf, schemaOf } from '../../test/support/random-rows.ts';
import { createReport } from '../support/report.ts';

const SEED = 1;
const ROUNDS = 15;
const FIELDS = [
  fieldOf({ id: 100, name: 'id', type: 'Int64', isPrimaryKey: true }),
  fieldOf({ id: 101, name: 'price', type: 'Double' }),
  fieldOf({ id: 102, name: 'shop', type: 'Int32' }),
  fieldOf({ id: 103, name: 'sku', type: 'VarChar' }),
  fieldOf({ id: 104, name: 'kind', type: 'VarChar' }),
  fieldOf({ id: 105, name: 'tags', type: 'Array', elementType: 'Int32' }),
  fieldOf({ id: 106, name: 'meta', type: 'JSON' }),
  fieldOf({ id: 107, name: 'place', type: 'Geometry' }),
  fieldOf({ id: 108, name: 'area', type: 'Geometry' }),
];
const SCHEMA = schemaOf(FIELDS);
const JSON_TARGET = { path: ['color'], cast: 'VARCHAR' } as const;

/** A condition with other constants each time. */
const FILTERS: Readonly<Record<string, (random: Random) => string>> = {
  'number, range of 1 %': (random) => between('price', random.next() * 990_000, 10_000),
  'number, range of 50 %': (random) => between('price', random.next() * 500_000, 500_000),
  'integer, one of 1 000': (random) => `shop == ${random.below(1_000)}`,
  'integer, 20 of 1 000': (random) => `shop in [${many(random, 20, 1_000).join(', ')}]`,
  'text, one of 50 000': (random) => `sku == "sku-${random.below(50_000)}"`,
  'text, one of 20': (random) => `kind == "kind-${random.below(20)}"`,
  'text, prefix': (random) => `sku like "sku-${10 + random.below(90)}%"`,
  'text, infix': (random) => `sku like "%${100 + random.below(900)}%"`,
  'array contains': (random) => `array_contains(tags, ${random.below(200)})`,
  'JSON text': (random) => `meta["color"] == "c${random.below(100)}"`,
  'points within 1 %': (random) => `st_within(place, '${square(random, 10)}')`,
  'points within 25 %': (random) => `st_within(place, '${square(random, 50)}')`,
  'points within 50 km': (random) => `st_dwithin(place, 'POINT (${corner(random, 0)})', 50000)`,
  'areas that meet 1 %': (random) => `st_intersects(area, '${square(random, 10)}')`,
  'text and number': (random) =>
    `sku == "sku-${random.below(50_000)}" and ${between('price', random.next() * 500_000, 400_000)}`,
};

interface Segment {
  readonly rowCount: number;
  readonly columns: ReadonlyMap<number, Column>;
}

/** One JSON line a filter. `--rows=<count>`, 500 000 where it is not said. */
export async function run(args: readonly string[]): Promise<void> {
  const rowCount = Number(/^--rows=(\d+)$/.exec(args[0] ?? '--rows=500000')?.[1] ?? NaN);
  if (!(rowCount > 0)) throw new Error(`unknown option ${args[0]}; use --rows=<count>`);
  const report = createReport('filter', SEED);
  const random = new SeededRandom(SEED);
  const segment = makeSegment(random, rowCount);
  const { indexes, buildMs } = await buildIndexes(segment);
  report({
    measure: 'building indexes',
    rows: rowCount,
    indexes: indexes.length,
    build_ms: round(buildMs),
    bytes_per_row: round(indexes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / rowCount),
  });
  const none: IndexSource = { matches: () => null };
  const all: IndexSource = {
    matches: (predicate) =>
      indexes.reduce<ReturnType<FieldIndex['matches']>>(
        (found, one) => found ?? one.matches(predicate),
        null,
      ),
  };
  for (const [name, textOf] of Object.entries(FILTERS)) {
    const texts = Array.from({ length: ROUNDS }, () => textOf(random));
    const scan = await timed(segment, none, texts);
    const indexed = await timed(segment, all, texts);
    if (scan.passed !== indexed.passed)
      throw new Error(`${name}: ${scan.passed} rows, ${indexed.passed} with indexes`);
    report({
      measure: name,
      rows: rowCount,
      passing: round(scan.passed / ROUNDS),
      p50_us: { scan: scan.p50Us, indexed: indexed.p50Us, kept: indexed.keptUs },
      peer: 'scan of the columns, same run',
      ratio: round(scan.p50Us / indexed.p50Us),
      ratio_kept: round(scan.p50Us / indexed.keptUs),
    });
  }
}

function makeSegment(random: Random, rowCount: number): Segment {
  const valuesOf: Readonly<Record<string, (row: number) => ColumnValue>> = {
    id: (row) => BigInt(row),
    price: () => random.next() * 1_000_000,
    shop: () => random.below(1_000),
    sku: () => `sku-${random.below(50_000)}`,
    kind: () => `kind-${random.below(20)}`,
    tags: () => Array.from({ length: random.below(6) }, () => random.below(200)),
    place: () => encodeWkb(parseWkt(`POINT (${corner(random, 0)})`)),
    area: () => encodeWkb(parseWkt(square(random, 0.5))),
    meta: () => `{"size":${random.below(90)},"color":"c${random.below(100)}"}`,
  };
  const columns = FIELDS.map(
    (field) =>
      [
        field.id,
        columnFromValues(
          field,
          Array.from({ length: rowCount }, (_, row) => valuesOf[field.name]!(row)),
        ),
      ] as const,
  );
  return { rowCount, columns: new Map(columns) };
}

async function buildIndexes({ columns }: Segment): Promise<{ indexes: FieldIndex[]; buildMs: number }> {
  const start = performance.now();
  const turns = new Turns(createNodeHost(), 5);
  const indexes: FieldIndex[] = [];
  for (const { id, isPrimaryKey } of FIELDS) {
    const column = columns.get(id)!;
    if (isPrimaryKey) continue;
    if (column.type === 'JSON') indexes.push(await buildJsonIndex(id, column, JSON_TARGET, turns));
    else if (column.type === 'Geometry') indexes.push(await buildGeometryIndex(id, column, turns));
    else indexes.push(await buildIndex(id, column, turns));
  }
  return { indexes, buildMs: performance.now() - start };
}

interface Timing {
  readonly passed: number;
  readonly p50Us: number;
  /** Asked again. */
  readonly keptUs: number;
}

let filterCount = 0;

async function timed(segment: Segment, indexes: IndexSource, texts: readonly string[]): Promise<Timing> {
  const results = new FilterResults(2 ** 28, createNodeHost());
  const source = sourceOf(segment, indexes);
  const [first, again]: [number[], number[]] = [[], []];
  let passed = 0;
  for (const text of texts) {
    const filter = bound(text);
    for (const times of [first, again]) {
      const start = performance.now();
      const rows = await results.rows(source, filter);
      times.push((performance.now() - start) * 1_000);
      if (times === first)
        for (const byte of rows) for (let rest = byte; rest !== 0; rest &= rest - 1) passed++;
    }
  }
  return { passed, p50Us: median(first), keptUs: median(again) };
}

function sourceOf({ rowCount, columns }: Segment, indexes: IndexSource): ReadSource {
  const rows = { ...indexes, column: async (id: number) => columns.get(id) ?? null };
  return { rows, rowCount, slot: { id: 'bench' }, block: null, visible: null } as unknown as ReadSource;
}

function bound(text: string): BoundFilter {
  const plan = compileFilter(parseFilter(text), SCHEMA);
  const fields = FIELDS.filter(({ id }) => plan.fieldIds.includes(id));
  return { id: ++filterCount, plan, fields, keys: null };
}

function between(name: string, low: number, width: number): string {
  return `${name} >= ${low.toFixed(2)} and ${name} < ${(low + width).toFixed(2)}`;
}

/** Where a square of this side fits among degrees from 0 to 100 east and from 50 south to 50 north. */
function corner(random: Random, side: number): string {
  return `${random.next() * (100 - side)} ${random.next() * (100 - side) - 50}`;
}

function square(random: Random, side: number): string {
  const [x, y] = corner(random, side).split(' ').map(Number) as [number, number];
  return `POLYGON ((${x} ${y}, ${x + side} ${y}, ${x + side} ${y + side}, ${x} ${y + side}, ${x} ${y}))`;
}

function many(random: Random, count: number, below: number): number[] {
  return Array.from({ length: count }, () => random.below(below));
}

function median(values: number[]): number {
  return round(values.sort((left, right) => left - right)[values.length >> 1]!);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
