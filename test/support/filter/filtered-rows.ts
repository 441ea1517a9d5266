import { columnFromValues, type Column, type ColumnValue } from '../../../src/columns/index.ts';
import { bitAt } from '../../../src/columns/bitmap.ts';
import {
  compileFilter,
  evaluateFilter,
  parseFilter,
  type TemplateValues,
} from '../../../src/filter/index.ts';
import type { CollectionSchema } from '../../../src/schema/index.ts';

/** Rows by field name; a field that is left out is absent, as one that was added after the rows. */
export interface TestRows {
  readonly schema: CollectionSchema;
  readonly rowCount: number;
  readonly columns: ReadonlyMap<number, Column>;
}

export function testRows(
  schema: CollectionSchema,
  rows: readonly Readonly<Record<string, ColumnValue | null>>[],
): TestRows {
  const columns = new Map<number, Column>();
  for (const field of schema.fields) {
    if (!rows.some((row) => Object.hasOwn(row, field.name))) continue;
    columns.set(
      field.id,
      columnFromValues(
        field,
        rows.map((row) => row[field.name] ?? null),
      ),
    );
  }
  return { schema, rowCount: rows.length, columns };
}

/** Indexes of the rows a filter lets pass. */
export function rowsPassing(rows: TestRows, text: string, values: TemplateValues = {}): number[] {
  const plan = compileFilter(parseFilter(text), rows.schema, values);
  const source = { column: (fieldId: number) => rows.columns.get(fieldId) ?? null };
  const bitmap = evaluateFilter(plan, source, rows.rowCount);
  return Array.from({ length: rows.rowCount }, (_, row) => row).filter((row) => bitAt(bitmap, row));
}
