import type { FrontServices, MilvusCall } from './handler.ts';
import { livingRows } from './living-rows.ts';
import type { ReadCommand } from '../proxy-core.ts';
import { bitAt, columnOf, keyAt, takeColumn, type KeyValue, type VectorColumn } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { templateToJson } from '../../filter/index.ts';
import { primaryKeyField, type FieldSchema } from '../../schema/index.ts';
import type { IDs } from '../translate/generated/milvus.js';
import { checkQueryCount } from '../translate/placeholder-group.ts';
import { textRows } from '../translate/protobuf/byte-rows.ts';

/** The vectors of rows named by primary key, as the queries of a search: one for each key, in their order. */
export async function queriesByKey(
  { core, clock }: FrontServices,
  read: Pick<ReadCommand, 'collection' | 'partitionIds' | 'consistency' | 'guaranteeTimestamp'>,
  ids: IDs,
  field: FieldSchema,
  call: MilvusCall,
): Promise<VectorColumn> {
  const key = primaryKeyField(read.collection.schema);
  const wanted = keysFromWire(ids, key);
  checkQueryCount(wanted.length);
  const filter = { text: `${key.name} in {keys}`, values: { keys: templateToJson(wanted) } };
  const living = livingRows(read.collection, filter, clock.nowMs());
  const answer = await core.query(
    {
      ...read,
      filter: living,
      outputFieldIds: [field.id],
      countOnly: false,
      orderBy: [],
      limit: null,
      offset: 0,
    },
    call,
  );
  const rowOf = new Map<KeyValue, number>();
  for (let row = 0; row < answer.keys.length; row++) rowOf.set(keyAt(answer.keys, row), row);
  const missing = wanted.filter((one) => !rowOf.has(one));
  if (missing.length > 0) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `some of the provided primary key IDs do not exist: missing IDs = [${missing.slice(0, 10).join(', ')}]`,
    );
  }
  const rows = Uint32Array.from(wanted, (one) => rowOf.get(one)!);
  const vectors = takeColumn(columnOf(answer.rows, field.id), rows) as VectorColumn;
  const { validity } = vectors;
  const without = validity === null ? [] : wanted.filter((_, index) => !bitAt(validity, index));
  if (without.length > 0) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `vector field ${field.name} is null in rows to search by: IDs = [${without.slice(0, 10).join(', ')}]`,
    );
  }
  return { ...vectors, validity: null };
}

function keysFromWire(ids: IDs, key: FieldSchema): readonly KeyValue[] {
  if (key.type === 'Int64' && ids.intId !== null) return [...ids.intId.data];
  if (key.type === 'VarChar' && ids.strId !== null) return textRows(ids.strId.data);
  throw new MishardsError(
    'PARAMETER_INVALID',
    `the ids to search by are not of the type of primary key ${key.name}, which is ${key.type}`,
  );
}
