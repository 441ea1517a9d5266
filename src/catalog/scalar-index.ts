import type { IndexMeta } from './model.ts';
import { MishardsError } from '../errors/index.ts';
import { compileFilter, JSON_CASTS, parseFilter, type JsonTarget } from '../filter/index.ts';
import { primaryKeyField, type CollectionSchema, type FieldSchema } from '../schema/index.ts';

/**
 * Milvus's names of indexes on scalar fields. All but RTREE, which is the one for geometries, are kept in one form
 * (docs/internals/segment-format.md), so a name says which fields it is for and nothing else.
 */
export const SCALAR_INDEX_TYPES = ['INVERTED', 'STL_SORT', 'BITMAP', 'TRIE', 'HYBRID', 'RTREE'] as const;
export type ScalarIndexType = (typeof SCALAR_INDEX_TYPES)[number];

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function isScalarIndexType(type: string): type is ScalarIndexType {
  return (SCALAR_INDEX_TYPES as readonly string[]).includes(type);
}

/** Whether segments have a file of their own for it. On the primary key none is needed: segments are sorted by it. */
export function isScalarIndexWithFiles(index: IndexMeta, schema: CollectionSchema): boolean {
  return isScalarIndexType(index.type) && index.fieldId !== primaryKeyField(schema).id;
}

/**
 * The values an index on a JSON field is of, from its parameters `json_path` and `json_cast_type`. A path is written as in a
 * filter; without the field's name before it, it is one of the dynamic field. `INDEX_INVALID` when it is none of this field.
 */
export function jsonTargetOf({ params }: Pick<IndexMeta, 'params'>, field: FieldSchema): JsonTarget {
  const path = params['json_path'] ?? '';
  const given = jsonCastOf(params);
  const cast = JSON_CASTS.find((candidate) => candidate === given);
  if (cast === undefined)
    throw new MishardsError('INDEX_INVALID', `json_cast_type ${given} is not supported`);
  return { path: pathIn(field, path), cast };
}

/** In whatever case it was sent, which is kept to be shown again. */
export function jsonCastOf(params: Readonly<Record<string, string>>): string | undefined {
  return params['json_cast_type']?.trim().toUpperCase();
}

function pathIn(field: FieldSchema, path: string): readonly string[] {
  const schema = { description: '', autoId: false, enableDynamicField: field.isDynamic, fields: [field] };
  try {
    const { predicate } = compileFilter(parseFilter(`exists ${path}`), schema);
    if (predicate.kind === 'json' && predicate.test.kind === 'exists')
      return predicate.source.path.map(({ key }) => decoder.decode(key));
  } catch (error) {
    if (!(error instanceof MishardsError)) throw error;
  }
  throw new MishardsError('INDEX_INVALID', `json_path ${path} is not a path in field ${field.name}`);
}
