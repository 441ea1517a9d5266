import {
  columnFromValues,
  type Column,
  type ColumnShape,
  type ColumnValue,
  type RowBatch,
} from '../../src/columns/index.ts';
import type { Random } from '../../src/host/index.ts';
import { toBfloat16, toFloat16 } from '../../src/util/half-floats.ts';
import { INSTANT_RANGE } from '../../src/util/instant.ts';
import { encodeWkb, parseWkt } from '../../src/geometry/index.ts';
import {
  ELEMENT_TYPES,
  type CollectionSchema,
  type DataType,
  type FieldSchema,
} from '../../src/schema/index.ts';

export { ELEMENT_TYPES };

/** A field with defaults for all that a test does not care about. */
export function fieldOf(
  field: Partial<FieldSchema> & { readonly id: number; readonly type: DataType },
): FieldSchema {
  return {
    name: `field${field.id}`,
    description: '',
    elementType: null,
    isPrimaryKey: false,
    autoId: false,
    isPartitionKey: false,
    isClusteringKey: false,
    nullable: false,
    defaultValue: null,
    isDynamic: false,
    dim: null,
    maxLength: null,
    maxCapacity: null,
    typeParams: {},
    ...field,
  };
}

export function schemaOf(fields: readonly FieldSchema[]): CollectionSchema {
  return {
    description: '',
    autoId: false,
    enableDynamicField: fields.some((field) => field.isDynamic),
    fields,
  };
}

/** A key, a field of every scalar type, an array of every element type, each once plain and once nullable, `$meta` and vectors of each type. */
export function schemaOfAllTypes(keyType: 'Int64' | 'VarChar', dim: number): CollectionSchema {
  const fields = [fieldOf({ id: 100, name: 'id', type: keyType, isPrimaryKey: true, maxLength: 64 })];
  const add = (shape: Partial<FieldSchema> & { readonly type: DataType }, kinds = [false, true]): void => {
    for (const nullable of kinds) {
      const id = 100 + fields.length;
      const name = `${shape.type}${shape.elementType ?? ''}${nullable ? 'Nullable' : ''}`;
      fields.push(fieldOf({ ...shape, id, name, nullable }));
    }
  };
  for (const type of [...ELEMENT_TYPES, 'JSON', 'Timestamptz', 'Geometry'] as const) add({ type });
  for (const elementType of ELEMENT_TYPES) add({ type: 'Array', elementType, maxCapacity: 8 });
  for (const type of ['FloatVector', 'Float16Vector'] as const) add({ type, dim });
  // A collection has at most 10 fields of vectors.
  for (const type of ['BFloat16Vector', 'Int8Vector'] as const) add({ type, dim }, [false]);
  add({ type: 'BinaryVector', dim: 8 * dim });
  add({ type: 'SparseFloatVector' });
  fields.push(fieldOf({ id: 100 + fields.length, name: '$meta', type: 'JSON', isDynamic: true }));
  return schemaOf(fields);
}

export function randomValue(random: Random, shape: ColumnShape): ColumnValue {
  switch (shape.type) {
    case 'Bool':
      return random.below(2) === 1;
    case 'Int8':
      return random.below(256) - 128;
    case 'Int16':
      return random.below(65_536) - 32_768;
    case 'Int32':
      return random.below(2 ** 32) - 2 ** 31;
    case 'Timestamptz':
      return BigInt(random.below(2 ** 32)) * 58_000_123n - INSTANT_RANGE.max / 10_000n;
    case 'Int64':
      return BigInt.asIntN(64, (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)));
    case 'Float':
      return Math.fround(random.next() * 2 - 1);
    case 'Double':
      return random.next() * 2 - 1;
    case 'VarChar':
      return randomText(random);
    case 'Geometry':
      return encodeWkb(parseWkt(`POINT (${random.below(360) - 180} ${random.next()})`));
    case 'JSON':
      return JSON.stringify({ text: randomText(random), number: random.below(100), list: [1, null, true] });
    case 'Array': {
      const element = { type: shape.elementType!, elementType: null, dim: null };
      return Array.from({ length: random.below(5) }, () => randomValue(random, element));
    }
    case 'FloatVector':
      return randomFloats(random, shape);
    case 'Float16Vector':
      return toFloat16(randomFloats(random, shape));
    case 'BFloat16Vector':
      return toBfloat16(randomFloats(random, shape));
    case 'Int8Vector':
      return Int8Array.from({ length: shape.dim! }, () => random.below(256) - 128);
    case 'BinaryVector':
      return Uint8Array.from({ length: shape.dim! / 8 }, () => random.below(256));
    case 'SparseFloatVector':
      return randomSparse(random);
  }
}

function randomFloats(random: Random, { dim }: ColumnShape): Float32Array {
  return Float32Array.from({ length: dim! }, () => random.next() * 2 - 1);
}

/** Up to five of the first 20 dimensions, now and then the last that there can be. */
function randomSparse(random: Random): ReadonlyMap<number, number> {
  const dimensions = new Set(Array.from({ length: random.below(6) }, () => random.below(20)));
  if (random.below(8) === 0) dimensions.add(0xffff_fffe);
  const ascending = [...dimensions].sort((a, b) => a - b);
  return new Map(ascending.map((dimension) => [dimension, Math.fround(random.next())]));
}

const LETTERS = ['a', 'b', 'Z', '0', ' ', 'é', '漢', '😀', '\u0000', '"'];

function randomText(random: Random): string {
  const length = random.below(20) === 0 ? 60 : random.below(8);
  return Array.from({ length }, () => LETTERS[random.below(LETTERS.length)]).join('');
}

/** About a third of the values is null where `nullable`. */
export function randomColumn(
  random: Random,
  shape: ColumnShape & { readonly nullable?: boolean },
  length: number,
): Column {
  const values = Array.from({ length }, () =>
    shape.nullable === true && random.below(3) === 0 ? null : randomValue(random, shape),
  );
  return columnFromValues(shape, values);
}

export function randomRows(random: Random, schema: CollectionSchema, rowCount: number): RowBatch {
  const columns = new Map<number, Column>();
  for (const field of schema.fields) columns.set(field.id, randomColumn(random, field, rowCount));
  return { rowCount, columns };
}
