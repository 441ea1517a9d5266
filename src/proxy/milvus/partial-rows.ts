import type { FrontServices, MilvusCall } from './handler.ts';
import { livingRows } from './living-rows.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import {
  asKeys,
  columnFromValues,
  columnOf,
  concatColumns,
  KeySet,
  keyAt,
  sliceColumn,
  takeColumn,
  textAt,
  type BytesColumn,
  type Column,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../../columns/index.ts';
import { templateToJson } from '../../filter/index.ts';
import { dynamicField, primaryKeyField, type FieldSchema, type Timestamp } from '../../schema/index.ts';
import { absentColumn } from '../translate/column-from-wire.ts';
import { mergedObjects } from '../translate/dynamic-keys.ts';

/** Keys that are looked up at a time. */
const KEYS_MAX = 4_096;

/** Rows that are there, and where each of them is by the number of its key. */
interface Existing {
  readonly keys: KeySet;
  readonly rows: RowBatch;
}

/**
 * Completes rows that name only some of their fields: the others stay as they are where the key is there already, and are what an
 * insert would make of them where it is not, or where its row has outlived its time. Keys of the dynamic field that are not sent stay too. The rows are read first and
 * written after, so of two partial updates of one row at a time one may be lost, as in Milvus. No key comes twice.
 */
export async function completeRows(
  services: Pick<FrontServices, 'core' | 'clock'>,
  collection: CollectionMeta,
  sent: RowBatch,
  call: MilvusCall,
): Promise<RowBatch> {
  const { schema } = collection;
  const key = primaryKeyField(schema);
  const dynamic = dynamicField(schema);
  const absent = schema.fields.filter((field) => !sent.columns.has(field.id));
  const sentDynamic = dynamic === undefined ? undefined : sent.columns.get(dynamic.id);
  const wanted = [...absent, ...(sentDynamic === undefined ? [] : [dynamic!])];
  if (wanted.length === 0) return sent;
  const keys = asKeys(columnOf(sent, key.id));
  const existing = await read(services, collection, keys, wanted, call);
  const columns = new Map(sent.columns);
  for (const field of absent) columns.set(field.id, completed(field, keys, existing));
  if (sentDynamic !== undefined) {
    const before = completed(dynamic!, keys, existing) as BytesColumn;
    columns.set(dynamic!.id, merged(dynamic!, before, sentDynamic as BytesColumn));
  }
  // In the order of the schema, as a whole row has them.
  return {
    rowCount: sent.rowCount,
    columns: new Map(schema.fields.map(({ id }) => [id, columns.get(id)!] as const)),
  };
}

async function read(
  { core, clock }: Pick<FrontServices, 'core' | 'clock'>,
  collection: CollectionMeta,
  keys: PrimaryKeyColumn,
  fields: readonly FieldSchema[],
  call: MilvusCall,
): Promise<Existing> {
  const { name } = primaryKeyField(collection.schema);
  // A row in a partition that is not loaded would be taken for a new one, and lose what was not sent: it is refused instead.
  const isPart = (collection.load?.partitionIds ?? null) !== null;
  const partitionIds = isPart ? collection.partitions.map(({ id }) => id) : null;
  const known = new KeySet(keys.type);
  const parts: RowBatch[] = [];
  for (let from = 0; from < keys.length; from += KEYS_MAX) {
    const part = sliceColumn(keys, from, Math.min(keys.length, from + KEYS_MAX)) as PrimaryKeyColumn;
    const values = Array.from({ length: part.length }, (_, row) => keyAt(part, row));
    const filter = { text: `${name} in {keys}`, values: { keys: templateToJson(values) } };
    const answer = await core.query(
      {
        collection,
        partitionIds,
        filter: livingRows(collection, filter, clock.nowMs()),
        outputFieldIds: fields.map(({ id }) => id),
        consistency: 'Strong',
        guaranteeTimestamp: 0n as Timestamp,
        countOnly: false,
        orderBy: [],
        limit: null,
        offset: 0,
      },
      call,
    );
    for (let row = 0; row < answer.keys.length; row++) known.add(answer.keys, row);
    parts.push(answer.rows);
  }
  const columns = fields.map(
    ({ id }) => [id, concatColumns(parts.map((part) => columnOf(part, id)))] as const,
  );
  return { keys: known, rows: { rowCount: known.size, columns: new Map(columns) } };
}

function completed(field: FieldSchema, keys: PrimaryKeyColumn, { keys: known, rows }: Existing): Column {
  const places = Uint32Array.from({ length: keys.length }, (_, row) => {
    const place = known.find(keys, row);
    return place < 0 ? rows.rowCount : place;
  });
  const present = columnOf(rows, field.id);
  const isNew = places.includes(rows.rowCount);
  return takeColumn(isNew ? concatColumns([present, absentColumn(field, 1)]) : present, places);
}

function merged(field: FieldSchema, before: BytesColumn, sent: BytesColumn): Column {
  const texts = Array.from({ length: sent.length }, (_, row) =>
    mergedObjects(textAt(before, row), textAt(sent, row)),
  );
  return columnFromValues(field, texts);
}
