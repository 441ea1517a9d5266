import { fieldOfRows } from './field-column.ts';
import type { ReadSource } from './read-source.ts';
import {
  concatColumns,
  emptyColumn,
  takeColumn,
  type Column,
  type Int64Column,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import { primaryKeyField, type CollectionSchema, type FieldSchema } from '../schema/index.ts';

/** Rows of several sources in some order: entry i is row `rows[i]` of source `sources[i]`. */
export interface RowRefs {
  readonly sources: Uint32Array;
  readonly rows: Uint32Array;
}

/** The keys of the rows, in their order. */
export function keysOfRefs(
  sources: readonly ReadSource[],
  refs: RowRefs,
  schema: CollectionSchema,
): PrimaryKeyColumn {
  const key = primaryKeyField(schema);
  if (key.type === 'Int64') return integersOfRefs(sources, refs);
  const groups = groupBySource(refs, sources.length);
  const columns = groups.parts.map(({ source, rows }) => takeColumn(sources[source]!.keys, rows));
  return assemble(key, columns, groups.places) as PrimaryKeyColumn;
}

/** Every search needs them, so they are worth a way without columns in between. */
function integersOfRefs(sources: readonly ReadSource[], refs: RowRefs): PrimaryKeyColumn {
  const columns = sources.map(({ keys }) => (keys as Int64Column).values);
  const values = new BigInt64Array(refs.rows.length);
  for (let index = 0; index < values.length; index++) {
    values[index] = columns[refs.sources[index]!]![refs.rows[index]!]!;
  }
  return { type: 'Int64', values, length: values.length, validity: null };
}

/** Fields of the rows, in their order. `FIELD_NOT_FOUND` when the schema has not one of them. */
export async function fieldsOfRefs(
  sources: readonly ReadSource[],
  refs: RowRefs,
  schema: CollectionSchema,
  fieldIds: readonly number[],
): Promise<RowBatch> {
  const groups = groupBySource(refs, sources.length);
  const columns = new Map<number, Column>();
  for (const id of fieldIds) {
    const field = fieldOf(schema, id);
    const parts: Column[] = [];
    for (const { source, rows } of groups.parts) parts.push(await fieldOfRows(sources[source]!, field, rows));
    columns.set(id, assemble(field, parts, groups.places));
  }
  return { rowCount: refs.rows.length, columns };
}

export function fieldOf(schema: CollectionSchema, id: number): FieldSchema {
  const field = schema.fields.find((candidate) => candidate.id === id);
  if (field === undefined)
    throw new MishardsError('FIELD_NOT_FOUND', `the collection has no field with id ${id}`);
  return field;
}

interface Groups {
  /** The rows wanted of each source that has any. */
  readonly parts: readonly { readonly source: number; readonly rows: Uint32Array }[];
  /** Where each row stands once the parts are put one after another; null = in this order already. */
  readonly places: Uint32Array | null;
}

/** A counting sort by source. */
function groupBySource(refs: RowRefs, sourceCount: number): Groups {
  const ends = new Uint32Array(sourceCount);
  for (const source of refs.sources) ends[source]!++;
  for (let source = 1; source < sourceCount; source++) ends[source]! += ends[source - 1]!;
  const next = new Uint32Array(sourceCount);
  for (let source = 1; source < sourceCount; source++) next[source] = ends[source - 1]!;
  const places = new Uint32Array(refs.rows.length);
  const grouped = new Uint32Array(refs.rows.length);
  for (let index = 0; index < places.length; index++) {
    const place = next[refs.sources[index]!]!++;
    places[index] = place;
    grouped[place] = refs.rows[index]!;
  }
  const parts: { source: number; rows: Uint32Array }[] = [];
  for (let source = 0, start = 0; source < sourceCount; source++) {
    const end = ends[source]!;
    if (end > start) parts.push({ source, rows: grouped.subarray(start, end) });
    start = end;
  }
  return { parts, places: parts.length <= 1 ? null : places };
}

function assemble(field: FieldSchema, parts: readonly Column[], places: Uint32Array | null): Column {
  if (parts.length === 0) return emptyColumn(field);
  const column = concatColumns(parts);
  return places === null ? column : takeColumn(column, places);
}
