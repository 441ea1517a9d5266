import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import type { MessageType } from './message-type.ts';
import { byteRowCount, byteRow, type ByteRows } from './byte-rows.ts';
import { SeededRandom, type Random } from '../../../host/index.ts';
import * as generated from '../generated/milvus.js';

const require = createRequire(import.meta.url);
const { default: descriptors } =
  require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js') as {
    default: protobuf.INamespace;
  };
const root = protobuf.Root.fromJSON(descriptors).resolveAll();
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const messages = Object.values(generated as unknown as Record<string, unknown>).filter(
  (value): value is MessageType<object, object> =>
    typeof value === 'object' && value !== null && 'typeName' in value,
);

test(`every message decodes and encodes as protobuf.js does (SEED=${seed})`, () => {
  assert.ok(messages.length > 300);
  for (const message of messages) {
    const random = new SeededRandom(seed).fork(message.typeName);
    const type = root.lookupType(message.typeName);
    for (let round = 0; round < 8; round++) {
      const value = randomMessage(type, random, 3);
      const bytes = type.encode(type.fromObject(value)).finish();
      const decoded = message.decode(bytes);
      const context = `${message.typeName}, round ${round}`;
      assert.deepEqual(plain(decoded, type), plain(type.decode(bytes), type), `decode ${context}`);
      const encoded = message.encode(decoded);
      assert.deepEqual(
        plain(type.decode(encoded), type),
        plain(type.decode(bytes), type),
        `encode ${context}`,
      );
    }
  }
});

test(`numbers sent one by one decode as packed ones (SEED=${seed})`, () => {
  const random = new SeededRandom(seed);
  for (const name of ['BoolArray', 'IntArray', 'LongArray', 'FloatArray', 'DoubleArray']) {
    const typeName = `milvus.proto.schema.${name}`;
    const type = root.lookupType(typeName);
    const message = messages.find((candidate) => candidate.typeName === typeName)!;
    const values = Array.from({ length: 40 }, () => randomScalar(type.fields['data']!.type, random));
    const loose = protobuf.Type.fromJSON('Loose', {
      fields: {
        data: { type: type.fields['data']!.type, id: 1, rule: 'repeated', options: { packed: false } },
      },
    });
    new protobuf.Root().add(loose);
    const half = values.length >> 1;
    const mixed = Buffer.concat([
      loose.encode(loose.fromObject({ data: values.slice(0, half) })).finish(),
      type.encode(type.fromObject({ data: values.slice(half) })).finish(),
    ]);
    const all = type.encode(type.fromObject({ data: values })).finish();
    assert.deepEqual(plain(message.decode(mixed), type), plain(type.decode(all), type), name);
  }
});

test(`broken bytes are refused, whatever is broken (SEED=${seed})`, () => {
  const random = new SeededRandom(seed);
  const type = root.lookupType('milvus.proto.milvus.InsertRequest');
  const bytes = type.encode(type.fromObject(randomMessage(type, random, 5))).finish();
  for (let round = 0; round < 2_000; round++) {
    const broken = bytes.slice(0, 1 + random.below(bytes.length));
    broken[random.below(broken.length)] = random.below(256);
    try {
      generated.InsertRequest.decode(broken);
    } catch (error) {
      assert.match(String(error), /MishardsError: the message cannot be decoded/);
    }
  }
});

test('a message that nests without end is refused', () => {
  let inner: Uint8Array = new Uint8Array(0);
  for (let depth = 0; depth < 200; depth++) inner = wrap(wrap(inner, 5), 1);
  assert.throws(() => generated.TemplateArrayValueArray.decode(inner), /nests deeper than 100 levels/);
});

function wrap(content: Uint8Array, field: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32((field << 3) | 2)
    .bytes(content)
    .finish();
}

function randomMessage(type: protobuf.Type, random: Random, depth: number): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const seenOneofs = new Set<protobuf.OneOf>();
  for (const field of type.fieldsArray) {
    if (random.below(3) === 0) continue;
    if (field.resolvedType instanceof protobuf.Type && depth === 0) continue;
    if (field.partOf !== null) {
      if (seenOneofs.has(field.partOf)) continue;
      seenOneofs.add(field.partOf);
    }
    value[field.name] = randomField(field, random, depth);
  }
  return value;
}

function randomField(field: protobuf.Field, random: Random, depth: number): unknown {
  const one = (): unknown =>
    field.resolvedType instanceof protobuf.Type
      ? randomMessage(field.resolvedType, random, depth - 1)
      : randomScalar(field.resolvedType === null ? field.type : 'int32', random);
  if (field instanceof protobuf.MapField) {
    const key = (): string =>
      String(field.keyType === 'string' ? randomScalar('string', random) : random.below(1000));
    return Object.fromEntries(Array.from({ length: random.below(4) }, () => [key(), one()]));
  }
  return field.repeated ? Array.from({ length: random.below(20) }, one) : one();
}

function randomScalar(type: string, random: Random): unknown {
  const word = (): number => (random.next() * 2 ** 32) >>> random.below(32);
  switch (type) {
    case 'bool':
      return random.below(2) === 1;
    case 'int32':
      return word() | 0;
    case 'uint32':
      return word() >>> 0;
    case 'int64':
    case 'uint64':
      return String(
        BigInt[type === 'int64' ? 'asIntN' : 'asUintN'](
          64,
          (BigInt(word()) << (random.below(2) === 0 ? 0n : 32n)) | BigInt(word()),
        ),
      );
    case 'float':
      return Math.fround((random.next() - 0.5) * 1000);
    case 'double':
      return random.next() * 1e9;
    case 'string':
      return ['', 'a', 'plain text', 'naïve 漢字 🙂', 'x'.repeat(random.below(200))][random.below(5)];
    case 'bytes':
      return Uint8Array.from({ length: random.below(60) }, () => random.below(256));
    default:
      throw new Error(`no random ${type}`);
  }
}

/** Both decoders' values in one form: bigints, plain arrays, no zero values. */
function plain(message: object, type: protobuf.Type): unknown {
  const result: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const value = (message as Record<string, unknown>)[field.name];
    const nested = field.resolvedType instanceof protobuf.Type ? field.resolvedType : null;
    if (value === undefined || value === null) continue;
    if (!Object.hasOwn(message, field.name)) continue;
    if (field instanceof protobuf.MapField) {
      const entries = value instanceof Map ? [...value] : Object.entries(value);
      result[field.name] = new Map(
        (entries as [unknown, unknown][])
          .map(([key, one]): [string, unknown] => [longKey(field, key), plainOne(one, nested)])
          .sort(([first], [second]) => (first < second ? -1 : 1)),
      );
    } else if (field.repeated)
      result[field.name] = elements(value as object).map((one) => plainOne(one, nested));
    else if (field.partOf !== null || nested !== null || !isZero(plainOne(value, nested))) {
      result[field.name] = plainOne(value, nested);
    }
  }
  for (const [name, value] of Object.entries(result)) {
    if ((Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0))
      delete result[name];
  }
  return result;
}

function longKey(field: protobuf.MapField, key: unknown): string {
  if (field.keyType === 'string' || typeof key !== 'string' || key.length !== 8) return String(key);
  return String(protobuf.util.longFromHash(key, false));
}

function elements(value: object): unknown[] {
  if (!('offsets' in value)) return Array.from(value as Iterable<unknown>);
  const rows = value as ByteRows;
  return Array.from({ length: byteRowCount(rows) }, (_, index) => byteRow(rows, index));
}

function plainOne(value: unknown, nested: protobuf.Type | null): unknown {
  if (nested !== null) return plain(value as object, nested);
  if (typeof value === 'object' && value !== null && 'unsigned' in value) return BigInt(String(value));
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

function isZero(value: unknown): boolean {
  return value === 0 || value === 0n || value === '';
}
