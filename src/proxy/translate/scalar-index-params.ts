import {
  isScalarIndexType,
  jsonCastOf,
  jsonTargetOf,
  type ScalarIndexType,
} from '../../catalog/scalar-index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { DataType, FieldSchema } from '../../schema/index.ts';

const AUTOINDEX = 'AUTOINDEX';
const INTEGERS: ReadonlySet<DataType> = new Set(['Int8', 'Int16', 'Int32', 'Int64']);
const NUMBERS: ReadonlySet<DataType> = new Set([...INTEGERS, 'Float', 'Double']);
/** Values of which Milvus has so few that a bitmap for each is worth it. */
const DISCRETE: ReadonlySet<DataType> = new Set([...INTEGERS, 'Bool', 'VarChar']);
const INVERTED_TYPES: ReadonlySet<DataType> = new Set([...NUMBERS, 'Bool', 'VarChar', 'Array', 'JSON']);
/** Of Milvus's parameter, which says when HYBRID keeps bitmaps: here that is decided value by value. */
const CARDINALITY_LIMIT = { key: 'bitmap_cardinality_limit', max: 1_000 };

/** The scalar index that is meant. What a client sends beside is kept and shown again, as Milvus does. */
export function scalarIndexType(
  requestedType: string,
  field: FieldSchema,
  params: Readonly<Record<string, string>>,
): ScalarIndexType {
  const type = requestedType === AUTOINDEX ? automaticType(field) : requestedType;
  if (!isScalarIndexType(type)) throw invalid(`index ${requestedType} only supports vector data type`);
  checkFieldType(type, field);
  if (field.type === 'JSON') checkJson(type, field, params);
  checkCardinalityLimit(params);
  return type;
}

function automaticType({ type, elementType }: FieldSchema): string {
  if (type === 'Timestamptz') return 'STL_SORT';
  if (type === 'Geometry') return 'RTREE';
  return type === 'Bool' || elementType === 'Bool' ? 'BITMAP' : 'INVERTED';
}

/** Milvus's rules, with its words. */
export function checkFieldType(indexType: ScalarIndexType, field: FieldSchema): void {
  const { type, elementType, isPrimaryKey } = field;
  switch (indexType) {
    case 'INVERTED':
      if (!INVERTED_TYPES.has(type)) throw invalid(`INVERTED are not supported on ${type} field`);
      return;
    case 'STL_SORT':
      if (!NUMBERS.has(type) && type !== 'VarChar' && type !== 'Timestamptz')
        throw invalid(`STL_SORT are only supported on numeric, varchar or timestamptz field, got ${type}`);
      return;
    case 'TRIE':
      if (type !== 'VarChar') throw invalid('TRIE are only supported on varchar field');
      return;
    case 'RTREE':
      if (type !== 'Geometry') throw invalid(`RTREE index can only be built on geometry field, got ${type}`);
      return;
    case 'BITMAP':
    case 'HYBRID': {
      const name = indexType.toLowerCase();
      if (isPrimaryKey) throw invalid(`create ${name} index on primary key not supported`);
      if (indexType === 'BITMAP' && type === 'JSON') return;
      if (!DISCRETE.has(type) && type !== 'Array')
        throw invalid(`${name} index are only supported on bool, int, string and array field`);
      if (elementType !== null && !DISCRETE.has(elementType))
        throw invalid(`${name} index are only supported on bool, int, string for array field`);
    }
  }
}

function checkJson(
  type: ScalarIndexType,
  field: FieldSchema,
  params: Readonly<Record<string, string>>,
): void {
  const cast = jsonCastOf(params);
  if (cast === undefined) throw missing('json_cast_type', 'json index must specify cast type');
  if (params['json_path'] === undefined) throw missing('json_path', 'json index must specify json path');
  if (type === 'BITMAP' && cast !== 'BOOL' && cast !== 'VARCHAR')
    throw invalid(`json_cast_type ${cast} is not supported for BITMAP index`);
  for (const [key, value] of Object.entries({
    json_cast_function: params['json_cast_function'] ?? '',
    json_cast_type: cast === 'JSON' ? cast : '',
  })) {
    if (value === '') continue;
    throw new MishardsError(
      'NOT_SUPPORTED',
      `${key} ${value} is not supported yet; name the type of the values`,
    );
  }
  jsonTargetOf({ params }, field);
}

function checkCardinalityLimit(params: Readonly<Record<string, string>>): void {
  const text = params[CARDINALITY_LIMIT.key];
  const value = Number(text);
  if (text === undefined || (Number.isInteger(value) && value > 0 && value < CARDINALITY_LIMIT.max)) return;
  throw invalid(
    `failed to check bitmap cardinality limit, should be larger than 0 and smaller than ${CARDINALITY_LIMIT.max}`,
  );
}

function missing(param: string, what: string): MishardsError {
  return invalid(`${what}: missing parameter[missing_param=${param}]`);
}

function invalid(message: string): MishardsError {
  return new MishardsError('INDEX_INVALID', message);
}
