import { columnToWire, keysToWire } from './column-to-wire.ts';
import { pickKeys } from './dynamic-keys.ts';
import type { FieldDataInit, SearchResultDataInit } from './generated/milvus.js';
import type { OutputFields } from './output-fields.ts';
import { scoresToWire } from './scores.ts';
import type { GroupBy } from '../core/arrange-hits.ts';
import type { SearchAnswer } from '../proxy-core.ts';
import { columnOf, type BytesColumn, type PrimaryKeyColumn, type RowBatch } from '../../columns/index.ts';
import { primaryKeyField, type CollectionSchema } from '../../schema/index.ts';

export interface SearchResultShape {
  readonly schema: CollectionSchema;
  /** The scores are minus what Milvus shows. */
  readonly areDistances: boolean;
  readonly limit: number;
  readonly roundDecimal: number;
  readonly output: OutputFields;
  readonly groupBy: GroupBy | null;
}

export function searchResultsToWire(answer: SearchAnswer, shape: SearchResultShape): SearchResultDataInit {
  const { schema, output } = shape;
  return {
    numQueries: BigInt(answer.counts.length),
    topK: BigInt(shape.limit),
    topks: BigInt64Array.from(answer.counts, BigInt),
    scores: scoresToWire(answer.scores, shape.areDistances, shape.roundDecimal),
    ids: keysToWire(answer.keys),
    fieldsData: fieldsToWire(answer.keys, answer.rows, schema, output),
    outputFields: output.names,
    primaryFieldName: primaryKeyField(schema).name,
    ...(shape.groupBy === null ? {} : { groupByFieldValue: groupValues(answer, shape, shape.groupBy) }),
  };
}

/** Of each hit, the value of the field that it was grouped by. */
function groupValues(
  answer: SearchAnswer,
  { schema, output }: SearchResultShape,
  { fieldId }: GroupBy,
): FieldDataInit {
  const field = schema.fields.find(({ id }) => id === fieldId)!;
  return columnToWire(field, columnOf(answer.rows, fieldId), output.times);
}

/** The asked fields of the rows. The primary key comes from `keys`, whether or not the batch has it too. */
export function fieldsToWire(
  keys: PrimaryKeyColumn,
  rows: RowBatch,
  schema: CollectionSchema,
  output: OutputFields,
): FieldDataInit[] {
  const key = primaryKeyField(schema);
  return output.fields.map((field) => {
    if (field === key) return columnToWire(field, keys, output.times);
    const column = columnOf(rows, field.id);
    if (!field.isDynamic || output.dynamicKeys === null) return columnToWire(field, column, output.times);
    return columnToWire(field, pickKeys(column as BytesColumn, output.dynamicKeys), output.times);
  });
}
