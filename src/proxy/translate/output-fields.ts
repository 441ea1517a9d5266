import type { TimeView } from './times.ts';
import { MishardsError } from '../../errors/index.ts';
import {
  dynamicField,
  findField,
  primaryKeyField,
  type CollectionSchema,
  type FieldSchema,
} from '../../schema/index.ts';

/** What a client's `output_fields` ask for. */
export interface OutputFields {
  /** To be read, in the order of the answer. */
  readonly fields: readonly FieldSchema[];
  /** The names the client will look for, undeclared keys among them. */
  readonly names: readonly string[];
  /** Keys to be picked out of the dynamic field; null = all of it. */
  readonly dynamicKeys: readonly string[] | null;
  /** The client named the primary key, or everything. */
  readonly wantsKey: boolean;
  readonly times: TimeView;
}

/** `*` is every field; a name that is not declared is a key of the dynamic field, where there is one. */
export function outputFieldsFromWire(
  asked: readonly string[],
  schema: CollectionSchema,
  times: TimeView,
): OutputFields {
  const dynamic = dynamicField(schema);
  const fields = new Set<FieldSchema>();
  const names = new Set<string>();
  const dynamicKeys = new Set<string>();
  let wantsAllDynamic = false;
  for (const name of asked.map((text) => text.trim())) {
    if (name === '*') {
      for (const field of schema.fields) {
        fields.add(field);
        names.add(field.name);
      }
      wantsAllDynamic = true;
      continue;
    }
    const field = findField(schema, name);
    if (field === undefined && dynamic === undefined) {
      throw new MishardsError('FIELD_NOT_FOUND', `field ${name} not exist`);
    }
    names.add(name);
    fields.add(field ?? dynamic!);
    if (field === undefined) dynamicKeys.add(dynamicKeyOf(name));
    else if (field === dynamic) wantsAllDynamic = true;
  }
  return {
    fields: [...fields],
    names: [...names],
    dynamicKeys: wantsAllDynamic || dynamicKeys.size === 0 ? null : [...dynamicKeys],
    wantsKey: fields.has(primaryKeyField(schema)),
    times,
  };
}

/** Keys are taken whole: a path into a nested value is refused, as in Milvus. */
function dynamicKeyOf(name: string): string {
  if (name !== '' && !/[[\]"'`\s]/.test(name)) return name;
  throw new MishardsError(
    'PARAMETER_INVALID',
    `parse output field name failed: ${name}; subkeys of the dynamic field are not supported`,
  );
}
