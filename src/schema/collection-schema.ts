import type { DataType, ElementType } from './data-type.ts';

/**
 * A default value as stored in the catalog. 64-bit integers are decimal strings, because JSON has no other way; the int of a
 * Timestamptz field counts microseconds since 1970.
 */
export type DefaultValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: string }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string };

export interface FieldSchema {
  /** Unique in the collection, from 100 up (below are system fields), never reused. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly type: DataType;
  /** Only with type Array. */
  readonly elementType: ElementType | null;
  readonly isPrimaryKey: boolean;
  readonly autoId: boolean;
  readonly isPartitionKey: boolean;
  readonly isClusteringKey: boolean;
  readonly nullable: boolean;
  readonly defaultValue: DefaultValue | null;
  /** The hidden `$meta` JSON field that keeps undeclared keys. */
  readonly isDynamic: boolean;
  /** Vector dimension; null for scalars. */
  readonly dim: number | null;
  /** Bytes of UTF-8, for VarChar and Array of VarChar; else null. */
  readonly maxLength: number | null;
  /** Elements, for Array; else null. */
  readonly maxCapacity: number | null;
  /** Other type parameters as the client gave them, returned by DescribeCollection. */
  readonly typeParams: Readonly<Record<string, string>>;
}

export interface CollectionSchema {
  readonly description: string;
  readonly autoId: boolean;
  readonly enableDynamicField: boolean;
  /** In the order they were declared; the dynamic field, if any, is last. */
  readonly fields: readonly FieldSchema[];
}

export const DYNAMIC_FIELD_NAME = '$meta';
export const FIRST_FIELD_ID = 100;

export function primaryKeyField(schema: CollectionSchema): FieldSchema {
  const field = schema.fields.find((candidate) => candidate.isPrimaryKey);
  if (field === undefined) throw new Error('a validated schema has a primary key');
  return field;
}

export function findField(schema: CollectionSchema, name: string): FieldSchema | undefined {
  return schema.fields.find((field) => field.name === name);
}

export function dynamicField(schema: CollectionSchema): FieldSchema | undefined {
  return schema.fields.find((field) => field.isDynamic);
}
