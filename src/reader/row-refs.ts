import { fieldOfRows } from './field-column.ts';
import type { ReadSource } from './read-source.ts';
import {
  concatColumns,
  emptyColumn,
  takeColumn,
  type Column,
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
  const groups = groupBySource(refs);
  const columns = groups.parts.map(({ source, rows }) => takeColumn(sources[source]!.keys, rows));
  return assemble(primaryKeyField(schema), columns, groups.places) as PrimaryKeyColumn;
}

/** Fields of the rows, in their order. `FIELD_NOT_FOUND` when the schema has not one of them. */
export async function fieldsOfRefs(
  sources: readonly ReadSource[],
  refs: RowRefs,
  schema: CollectionSchema,
  fieldIds: readonly number[],
): Promise<RowBatch> {
  const groups = groupBySource(refs);
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

function groupBySource({ sources, rows }: RowRefs): Groups {
  const indexes = new Map<number, number[]>();
  sources.forEach((source, index) => {
    const group = indexes.get(source);
    if (group === undefined) indexes.set(source, [index]);
    else group.push(index);
  });
  const parts = [...indexes].map(([source, group]) => ({
    source,
    rows: Uint32Array.from(group, (index) => rows[index]!),
  }));
  if (parts.length <= 1) return { parts, places: null };
  const places = new Uint32Array(rows.length);
  let place = 0;
  for (const group of indexes.values()) for (const index of group) places[index] = place++;
  return { parts, places };
}

function assemble(field: FieldSchema, parts: readonly Column[], places: Uint32Array | null): Column {
  if (parts.length === 0) return emptyColumn(field);
  const column = concatColumns(parts);
  return places === null ? column : takeColumn(column, places);
}
