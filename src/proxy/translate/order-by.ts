import { MishardsError } from '../../errors/index.ts';
import type { OrderBy } from '../../protocol/reader-api.ts';
import { findField, type CollectionSchema, type DataType } from '../../schema/index.ts';

const ORDERED: readonly DataType[] = [
  ...(['Bool', 'Int8', 'Int16', 'Int32', 'Int64', 'Float', 'Double', 'VarChar', 'Timestamptz'] as const),
];
const GROUPED: readonly DataType[] = ['Bool', 'Int8', 'Int16', 'Int32', 'Int64', 'VarChar', 'Timestamptz'];

/**
 * Reads `price:desc,name,made:asc:nulls_first`. Without a word nulls come last where values ascend and first where they descend,
 * as in SQL. Empty where nothing is asked for.
 */
export function orderByFromWire(text: string, schema: CollectionSchema): readonly OrderBy[] {
  if (text.trim() === '') return [];
  const orders = text.split(',').map((item) => orderOf(item, schema));
  const names = new Set(orders.map(({ fieldId }) => fieldId));
  if (names.size < orders.length) throw invalid(`order_by_fields [${text}] names a field twice`);
  return orders;
}

function orderOf(item: string, schema: CollectionSchema): OrderBy {
  const [name = '', ...words] = item.split(':').map((word) => word.trim());
  const field = typedField(name, schema, ORDERED, 'ordered by');
  let descending = false;
  let nullsFirst: boolean | null = null;
  for (const word of words) {
    const lower = word.toLowerCase();
    if (lower === 'asc' || lower === 'desc') descending = lower === 'desc';
    else if (lower === 'nulls_first' || lower === 'nulls_last') nullsFirst = lower === 'nulls_first';
    else
      throw invalid(
        `order_by_fields [${item.trim()}] has ${word} where asc, desc, nulls_first or nulls_last is expected`,
      );
  }
  return { fieldId: field.id, descending, nullsFirst: nullsFirst ?? descending };
}

/** The field to group hits by. */
export function groupField(name: string, schema: CollectionSchema) {
  return typedField(name, schema, GROUPED, 'grouped by');
}

function typedField(name: string, schema: CollectionSchema, types: readonly DataType[], how: string) {
  const field = findField(schema, name);
  if (field === undefined) throw new MishardsError('FIELD_NOT_FOUND', `field ${name} not exist`);
  if (types.includes(field.type)) return field;
  throw invalid(`field ${name} is ${field.type}; results can be ${how} fields of type ${types.join(', ')}`);
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
