import type { Column } from '../../../src/columns/index.ts';
import { createSimulatedHost } from '../../../src/host/simulated/index.ts';
import { Turns } from '../../../src/host/index.ts';
import {
  buildGeometryIndex,
  buildIndex,
  buildJsonIndex,
  compileFilter,
  evaluateSlice,
  isOrderedType,
  JSON_CASTS,
  parseFilter,
  useIndexes,
  type FieldIndex,
  type IndexMatches,
  type IndexSource,
} from '../../../src/filter/index.ts';
import { bitAt, sliceColumn } from '../../../src/columns/index.ts';
import type { TestRows } from './filtered-rows.ts';

export const turnsForTests = (): Turns => new Turns(createSimulatedHost(), 5);

/** An index on every field that can have one, of JSON fields one for each of the paths and types. */
export async function indexesOf(rows: TestRows, paths: readonly string[] = []): Promise<FieldIndex[]> {
  const indexes: FieldIndex[] = [];
  for (const field of rows.schema.fields) {
    const column = rows.columns.get(field.id);
    if (column === undefined) continue;
    if (column.type === 'JSON') {
      for (const key of paths)
        for (const cast of JSON_CASTS)
          indexes.push(await buildJsonIndex(field.id, column, { path: [key], cast }, turnsForTests()));
    } else if (column.type === 'Geometry') {
      indexes.push(await buildGeometryIndex(field.id, column, turnsForTests()));
    } else if (isOrderedType(field.type) || field.type === 'Array') {
      indexes.push(await buildIndex(field.id, column, turnsForTests()));
    }
  }
  return indexes;
}

export interface IndexUse {
  /** Whatever it costs, so that every way of answering is taken. */
  readonly always: boolean;
  /** Told of each answer. */
  readonly onMatches?: (matches: IndexMatches) => void;
}

export function sourceOf(indexes: Iterable<FieldIndex>, use: IndexUse): IndexSource {
  const all = [...indexes];
  return {
    matches(predicate) {
      for (const index of all) {
        const matches = index.matches(predicate);
        if (matches === null) continue;
        use.onMatches?.(matches);
        return use.always ? { ...matches, cost: 0 } : matches;
      }
      return null;
    },
  };
}

/** The rows a filter lets pass when indexes help, slice by slice. */
export async function rowsPassingIndexed(
  rows: TestRows,
  text: string,
  source: IndexSource,
  sliceRows: number,
): Promise<number[]> {
  const compiled = compileFilter(parseFilter(text), rows.schema);
  const plan = await useIndexes(compiled, source, rows.rowCount, turnsForTests());
  const passing: number[] = [];
  for (let from = 0; from < rows.rowCount; from += sliceRows) {
    const count = Math.min(sliceRows, rows.rowCount - from);
    const columns = new Map<number, Column>();
    for (const id of plan.fieldIds) {
      const column = rows.columns.get(id);
      if (column !== undefined) columns.set(id, sliceColumn(column, from, from + count));
    }
    const bitmap = evaluateSlice(plan, { column: (id) => columns.get(id) ?? null }, from, count);
    for (let row = 0; row < count; row++) if (bitAt(bitmap, row)) passing.push(from + row);
  }
  return passing;
}
