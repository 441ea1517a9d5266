import { fieldOf, schemaOf } from './random-rows.ts';
import type { CollectionSchema, FieldSchema } from '../../src/schema/index.ts';

export interface VectorSchemaOptions {
  readonly dim?: number;
  readonly keyType?: 'Int64' | 'VarChar';
  readonly autoId?: boolean;
  /** After `id` (100) and `vector` (101). */
  readonly fields?: readonly FieldSchema[];
}

/** A primary key `id` (field 100), a vector field `vector` (101) and what else is given. */
export function vectorSchema(options: VectorSchemaOptions = {}): CollectionSchema {
  const { dim = 4, keyType = 'Int64', autoId = false, fields = [] } = options;
  const maxLength = keyType === 'VarChar' ? 64 : null;
  const key = fieldOf({ id: 100, name: 'id', type: keyType, isPrimaryKey: true, autoId, maxLength });
  const vector = fieldOf({ id: 101, name: 'vector', type: 'FloatVector', dim });
  return { ...schemaOf([key, vector, ...fields]), autoId };
}
