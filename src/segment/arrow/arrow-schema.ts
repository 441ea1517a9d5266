import { Field, Schema } from 'apache-arrow/schema';
import {
  Binary,
  Bool,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  TimestampMicrosecond,
  Uint64,
  Utf8,
  type DataType as ArrowType,
} from 'apache-arrow/type';
import type { ColumnShape } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { isVectorType, SCALAR_TYPES, VECTOR_TYPES, type ElementType } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';

/**
 * What a column of the file holds: the values of a scalar field, the system field of timestamps, or which rows of a
 * vector field are not null (the vectors themselves have a file of their own).
 */
export const STORED_ROLES = ['value', 'timestamp', 'vector-validity'] as const;
export type StoredRole = (typeof STORED_ROLES)[number];

export interface StoredField {
  readonly role: StoredRole;
  readonly fieldId: number;
  /** Name of the Arrow field. */
  readonly name: string;
  readonly nullable: boolean;
  /** Of the Mishards field. */
  readonly shape: ColumnShape;
}

const KEYS = {
  role: 'mishards.role',
  fieldId: 'mishards.field_id',
  type: 'mishards.type',
  elementType: 'mishards.element_type',
  dim: 'mishards.dim',
} as const;

/** What other Arrow tools know Well-Known Binary by. */
const GEOMETRY_EXTENSION = ['ARROW:extension:name', 'geoarrow.wkb'] as const;

const ELEMENT_TYPES: Readonly<Record<ElementType, () => ArrowType>> = {
  Bool: () => new Bool(),
  Int8: () => new Int8(),
  Int16: () => new Int16(),
  Int32: () => new Int32(),
  Int64: () => new Int64(),
  Float: () => new Float32(),
  Double: () => new Float64(),
  VarChar: () => new Utf8(),
};

export function arrowSchemaOf(fields: readonly StoredField[], metadata: ReadonlyMap<string, string>): Schema {
  return new Schema(fields.map(arrowFieldOf), new Map(metadata));
}

/** The reverse of `arrowSchemaOf`; `CORRUPT_DATA` when a field's metadata is not ours. */
export function storedFieldsOf(schema: Schema): readonly StoredField[] {
  return schema.fields.map((field) => {
    const stored = storedFieldOf(field);
    const expected = arrowTypeOf(stored);
    if (String(field.type) !== String(expected))
      throw corrupt(`field ${field.name} is ${String(field.type)} instead of ${String(expected)}`);
    return stored;
  });
}

function arrowFieldOf(stored: StoredField): Field {
  const { role, fieldId, shape } = stored;
  const metadata = new Map<string, string>([
    [KEYS.role, role],
    [KEYS.fieldId, String(fieldId)],
    [KEYS.type, shape.type],
  ]);
  if (shape.elementType !== null) metadata.set(KEYS.elementType, shape.elementType);
  if (shape.dim !== null) metadata.set(KEYS.dim, String(shape.dim));
  if (shape.type === 'Geometry') metadata.set(...GEOMETRY_EXTENSION);
  return new Field(stored.name, arrowTypeOf(stored), stored.nullable, metadata);
}

function storedFieldOf(field: Field): StoredField {
  const read = (key: string): string | null => field.metadata.get(key) ?? null;
  const role = STORED_ROLES.find((candidate) => candidate === read(KEYS.role));
  const type = [...SCALAR_TYPES, ...VECTOR_TYPES].find((candidate) => candidate === read(KEYS.type));
  const elementName = read(KEYS.elementType);
  const elementType = elementName !== null && Object.hasOwn(ELEMENT_TYPES, elementName) ? elementName : null;
  const fieldId = Number(read(KEYS.fieldId) ?? NaN);
  const dim = read(KEYS.dim);
  if (role === undefined || type === undefined || !Number.isInteger(fieldId))
    throw corrupt(`field ${field.name} lacks its metadata`);
  if ((type === 'Array') !== (elementType !== null))
    throw corrupt(`field ${field.name} lacks its element type`);
  if (role === 'value' && type === 'FloatVector')
    throw corrupt(`field ${field.name} has vectors, which have files of their own`);
  const shape = {
    type,
    elementType: elementType as ElementType | null,
    dim: dim === null ? null : Number(dim),
  };
  return { role, fieldId, name: field.name, nullable: field.nullable, shape };
}

function arrowTypeOf({ role, shape }: StoredField): ArrowType {
  if (role === 'timestamp') return new Uint64();
  if (role === 'vector-validity') return new Bool();
  if (shape.type === 'JSON') return new Utf8();
  if (shape.type === 'Timestamptz') return new TimestampMicrosecond('UTC');
  if (shape.type === 'Geometry') return new Binary();
  if (shape.type === 'Array') {
    assert(shape.elementType !== null, 'an array has an element type');
    return new List(new Field('item', ELEMENT_TYPES[shape.elementType](), false));
  }
  assert(!isVectorType(shape.type), 'vectors have files of their own');
  return ELEMENT_TYPES[shape.type]();
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', `in a segment file ${message}`);
}
