import { ConsistencyLevel as WireLevel, DataType as WireType } from './generated/milvus.js';
import { CONSISTENCY_LEVELS, type ConsistencyLevel } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  ELEMENT_TYPES,
  SCALAR_TYPES,
  VECTOR_TYPES,
  type DataType,
  type ElementType,
} from '../../schema/index.ts';

const SUPPORTED: readonly DataType[] = [...SCALAR_TYPES, ...VECTOR_TYPES];
const NAMES = new Map(Object.entries(WireType).map(([name, number]) => [number as number, name]));

export function wireTypeName(number: number): string {
  return NAMES.get(number) ?? `number ${number}`;
}

/** Throws `NOT_SUPPORTED` naming the type, or `COLLECTION_SCHEMA_INVALID` for types no Milvus takes. */
export function dataTypeOf(number: number, fieldName: string): DataType {
  const name = wireTypeName(number);
  const type = SUPPORTED.find((candidate) => candidate === name);
  if (type !== undefined) return type;
  if (name === 'String') {
    throw invalid(`string data type of field ${fieldName} not supported, please use VarChar type instead`);
  }
  if (name === 'None' || !NAMES.has(number))
    throw invalid(`data type ${name} of field ${fieldName} is not valid`);
  throw new MishardsError(
    'NOT_SUPPORTED',
    `data type ${name} of field ${fieldName} is not supported yet; supported are ${SUPPORTED.join(', ')}`,
  );
}

export function elementTypeOf(number: number, fieldName: string): ElementType {
  const type = dataTypeOf(number, fieldName);
  const elementType = ELEMENT_TYPES.find((candidate) => candidate === type);
  if (elementType !== undefined) return elementType;
  throw invalid(`element type ${type} of array field ${fieldName} is not supported`);
}

export function wireTypeOf(type: DataType): number {
  return WireType[type];
}

/** `Customized` has no meaning for a collection: it says that each request brings its own guarantee. */
export function consistencyLevelOf(number: number): ConsistencyLevel {
  const level = CONSISTENCY_LEVELS.find((candidate) => WireLevel[candidate] === number);
  if (level !== undefined) return level;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `consistency level ${number} is invalid for a collection; use one of ${CONSISTENCY_LEVELS.join(', ')}`,
  );
}

/** A level as properties give it, by name or number. */
export function levelNamed(text: string): ConsistencyLevel {
  const level = CONSISTENCY_LEVELS.find(
    (candidate) => candidate === text || String(WireLevel[candidate]) === text,
  );
  if (level !== undefined) return level;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `consistency level ${text} is invalid for a collection; use one of ${CONSISTENCY_LEVELS.join(', ')}`,
  );
}

export function wireLevelOf(level: ConsistencyLevel): number {
  return WireLevel[level];
}

function invalid(message: string): MishardsError {
  return new MishardsError('COLLECTION_SCHEMA_INVALID', message);
}
