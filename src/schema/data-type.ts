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
export const VECTOR_TYPES = [
  'FloatVector',
  'Float16Vector',
  'BFloat16Vector',
  'Int8Vector',
  'BinaryVector',
  'SparseFloatVector',
] as const;

export type ScalarType = (typeof SCALAR_TYPES)[number];
export type VectorType = (typeof VECTOR_TYPES)[number];
/** Vectors whose rows all have `dim` dimensions. */
export type DenseVectorType = Exclude<VectorType, 'SparseFloatVector'>;
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

/** Of dense vectors of numbers. */
export const DENSE_METRICS = ['L2', 'IP', 'COSINE'] as const;
/** Of all vectors; `metricsOfVectors` says which go with which. */
export const METRICS = [...DENSE_METRICS, 'HAMMING', 'JACCARD'] as const;
export type DenseMetric = (typeof DENSE_METRICS)[number];
export type Metric = (typeof METRICS)[number];

export function isVectorType(type: DataType): type is VectorType {
  return (VECTOR_TYPES as readonly string[]).includes(type);
}

export function isDenseVectorType(type: DataType): type is DenseVectorType {
  return isVectorType(type) && type !== 'SparseFloatVector';
}

/** The first is Milvus's default. */
export function metricsOfVectors(type: VectorType): readonly Metric[] {
  switch (type) {
    case 'BinaryVector':
      return ['HAMMING', 'JACCARD'];
    case 'SparseFloatVector':
      return ['IP'];
    default:
      return ['COSINE', 'L2', 'IP'];
  }
}

/** Whether Milvus shows a distance, less of which is closer. */
export function isDistance(metric: Metric): boolean {
  return metric === 'L2' || metric === 'HAMMING' || metric === 'JACCARD';
}
