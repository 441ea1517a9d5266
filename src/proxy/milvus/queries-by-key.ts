import type { MilvusCall } from './handler.ts';
import type { ProxyCore, ReadCommand } from '../proxy-core.ts';
import { columnOf, keyAt, type FloatVectorColumn, type KeyValue } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import { templateToJson } from '../../filter/index.ts';
import { primaryKeyField, type FieldSchema } from '../../schema/index.ts';
import type { IDs } from '../translate/generated/milvus.js';
import { checkQueryCount, type Queries } from '../translate/placeholder-group.ts';
import { textRows } from '../translate/protobuf/byte-rows.ts';

/** The vectors of rows named by primary key, as the queries of a search: one for each key, in their order. */
export async function queriesByKey(
  core: ProxyCore,
  read: Pick<ReadCommand, 'collection' | 'partitionIds' | 'consistency' | 'guaranteeTimestamp'>,
  ids: IDs,
  field: FieldSchema,
  call: MilvusCall,
): Promise<Queries> {
  const key = primaryKeyField(read.collection.schema);
  const wanted = keysFromWire(ids, key);
  checkQueryCount(wanted.length);
  const filter = { text: `${key.name} in {keys}`, values: { keys: templateToJson(wanted) } };
  const answer = await core.query(
    { ...read, filter, outputFieldIds: [field.id], countOnly: false, limit: null, offset: 0 },
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
  const { dim, values } = columnOf(answer.rows, field.id) as FloatVectorColumn;
  const vectors = new Float32Array(wanted.length * dim);
  wanted.forEach((one, index) => {
    const row = rowOf.get(one)!;
    vectors.set(values.subarray(row * dim, (row + 1) * dim), index * dim);
  });
  return { count: wanted.length, vectors };
}

function keysFromWire(ids: IDs, key: FieldSchema): readonly KeyValue[] {
  if (key.type === 'Int64' && ids.intId !== null) return [...ids.intId.data];
  if (key.type === 'VarChar' && ids.strId !== null) return textRows(ids.strId.data);
  throw new MishardsError(
    'PARAMETER_INVALID',
    `the ids to search by are not of the type of primary key ${key.name}, which is ${key.type}`,
  );
}
