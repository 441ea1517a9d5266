export const SCALAR_TYPES = [
  'Bool',
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'Float',
  'Double',
  'VarChar',
  'JSON',
  'Array',
  'Timestamptz',
  'Geometry',
] as const;
export const VECTOR_TYPES = ['FloatVector'] as const;

export type ScalarType = (typeof SCALAR_TYPES)[number];
export type VectorType = (typeof VECTOR_TYPES)[number];
/** Milvus's data types, by Milvus's names. */
export type DataType = ScalarType | VectorType;

/** What an Array field may hold. */
export const ELEMENT_TYPES = [
  'Bool',
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'Float',
  'Double',
  'VarChar',
] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];
export type PrimaryKeyType = 'Int64' | 'VarChar';

export const METRICS = ['L2', 'IP', 'COSINE'] as const;
export type Metric = (typeof METRICS)[number];

export function isVectorType(type: DataType): type is VectorType {
  return (VECTOR_TYPES as readonly string[]).includes(type);
}
