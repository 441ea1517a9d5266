import {
  dynamicField,
  DYNAMIC_FIELD_NAME,
  findField,
  isVectorType,
  type CollectionSchema,
  type ElementType,
  type FieldSchema,
} from '../../schema/index.ts';
import type { FieldNode } from '../ast.ts';
import { filterError, quoted } from '../filter-error.ts';
import type { JsonSegment } from '../plan.ts';
import type { IntegerRange, Typed } from './typed.ts';

const NAMES_SHOWN_MAX = 20;
const NULL_WORDS: ReadonlySet<string> = new Set(['null', 'NULL', 'Null', 'None', 'nil', 'undefined']);
const encoder = new TextEncoder();

/** The field a name stands for, and the path left to follow inside it. */
interface Resolved {
  readonly field: FieldSchema;
  readonly path: readonly (string | number)[];
}

/** What a field, or a place inside one, yields. A name the schema lacks is a key of the dynamic field. */
export function resolveField(schema: CollectionSchema, node: FieldNode): Typed {
  const { field, path } = locate(schema, node);
  if (field.type === 'JSON')
    return { kind: 'json', source: { fieldId: field.id, path: path.map(segmentOf) } };
  if (field.type === 'Array') return resolveElement(field, path, node);
  if (path.length > 0) {
    throw filterError(
      node.at,
      `field ${quoted(field.name)} is ${field.type}; only JSON and Array fields take [...]`,
    );
  }
  if (isVectorType(field.type)) return { kind: 'vector', field };
  if (field.type === 'Geometry') return { kind: 'geometry', field };
  return {
    kind: 'operand',
    operand: { kind: 'column', fieldId: field.id, type: field.type },
    range: rangeOf(field.type),
  };
}

function locate(schema: CollectionSchema, node: FieldNode): Resolved {
  const dynamic = dynamicField(schema);
  const field = findField(schema, node.name);
  if (field !== undefined) return { field, path: node.path };
  if (node.name === DYNAMIC_FIELD_NAME) {
    throw filterError(node.at, `the schema has no dynamic field; enable it or name a field`);
  }
  if (NULL_WORDS.has(node.name) && node.path.length === 0) {
    throw filterError(
      node.at,
      `${quoted(node.name)} is not a value; write 'field is null' or 'field is not null'`,
    );
  }
  if (dynamic !== undefined) return { field: dynamic, path: [node.name, ...node.path] };
  const names = schema.fields.map((known) => known.name);
  const more = names.length > NAMES_SHOWN_MAX ? ', …' : '';
  throw filterError(
    node.at,
    `field ${quoted(node.name)} does not exist; there are ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`,
  );
}

function resolveElement(field: FieldSchema, path: readonly (string | number)[], node: FieldNode): Typed {
  const [index] = path;
  if (index === undefined) return { kind: 'array', field };
  if (path.length > 1 || typeof index !== 'number') {
    throw filterError(node.at, `Array field ${quoted(field.name)} takes one index, as in ${field.name}[0]`);
  }
  const type = field.elementType!;
  return {
    kind: 'operand',
    operand: { kind: 'element', fieldId: field.id, type, index },
    range: rangeOf(type),
  };
}

function segmentOf(segment: string | number): JsonSegment {
  const key = String(segment);
  const isIndex = /^(0|[1-9][0-9]{0,9})$/.test(key);
  return { key: encoder.encode(key), index: isIndex ? Number(key) : -1 };
}

export function rangeOf(type: ElementType | 'Timestamptz'): IntegerRange | null {
  const bits = { Int8: 7n, Int16: 15n, Int32: 31n, Int64: 63n, Timestamptz: 63n }[type as string];
  return bits === undefined ? null : { low: -(2n ** bits), high: 2n ** bits - 1n };
}
