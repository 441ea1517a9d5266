import protobuf from 'protobufjs';

/** The protocol as the emitters see it: the messages the service needs, each under a name unique in the output. */
export interface ProtocolModel {
  readonly messages: readonly MessageModel[];
  readonly enums: readonly EnumModel[];
  readonly methods: readonly MethodModel[];
}

export interface MessageModel {
  readonly name: string;
  readonly typeName: string;
  readonly fields: readonly FieldModel[];
}

export interface FieldModel {
  readonly name: string;
  readonly number: number;
  readonly shape: 'single' | 'repeated' | 'map' | 'byte-rows';
  readonly kind: 'scalar' | 'enum' | 'message';
  /** A scalar type of protobuf, or the name of a message; `int32` for enums. */
  readonly type: string;
  readonly keyType: string | null;
  /** Members of the same oneof, without this one; null = not in a oneof, absent means the zero value. */
  readonly rivals: readonly string[] | null;
}

export interface EnumModel {
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface MethodModel {
  readonly name: string;
  readonly path: string;
  readonly request: string;
  readonly reply: string;
  readonly statusField: number | null;
}

const STATUS = '.milvus.proto.common.Status';
/** Enums that no field refers to by a name we want, or that clients put into strings and bytes. */
const EXTRA_TYPES = [
  'milvus.proto.common.PlaceholderGroup',
  'milvus.proto.schema.CollectionSchema',
  'milvus.proto.schema.FieldSchema',
];
/** Their `data` are columns of text or JSON. */
const BYTE_ROW_MESSAGES = new Set(['StringArray', 'JSONArray', 'BytesArray']);

export function protocolModel(descriptors: protobuf.INamespace, serviceName: string): ProtocolModel {
  const root = protobuf.Root.fromJSON(descriptors).resolveAll();
  const service = root.lookupService(serviceName);
  const unary = service.methodsArray.filter((method) => !method.requestStream && !method.responseStream);
  unary.forEach((method) => method.resolve());
  const types = new Set<protobuf.Type>();
  const enums = new Set<protobuf.Enum>();
  for (const method of unary) {
    collect(method.resolvedRequestType!, types, enums);
    collect(method.resolvedResponseType!, types, enums);
  }
  for (const name of EXTRA_TYPES) collect(root.lookupType(name), types, enums);
  const names = uniqueNames([...types, ...enums]);
  return {
    messages: [...types].map((type) => messageModel(type, names)),
    enums: [...enums].map((found) => ({ name: names.get(found)!, values: { ...found.values } })),
    methods: unary.map((method) => ({
      name: method.name,
      path: `/${serviceName}/${method.name}`,
      request: names.get(method.resolvedRequestType!)!,
      reply: names.get(method.resolvedResponseType!)!,
      statusField: statusField(method.resolvedResponseType!),
    })),
  };
}

function collect(type: protobuf.Type, types: Set<protobuf.Type>, enums: Set<protobuf.Enum>): void {
  if (types.has(type)) return;
  types.add(type);
  for (const field of type.fieldsArray) {
    field.resolve();
    if (field.resolvedType instanceof protobuf.Type) collect(field.resolvedType, types, enums);
    else if (field.resolvedType instanceof protobuf.Enum) enums.add(field.resolvedType);
  }
}

function uniqueNames(
  objects: readonly protobuf.ReflectionObject[],
): ReadonlyMap<protobuf.ReflectionObject, string> {
  const names = new Map<protobuf.ReflectionObject, string>();
  const used = new Set<string>();
  for (const object of objects) {
    if (used.has(object.name)) throw new Error(`two types of the protocol are called ${object.name}`);
    used.add(object.name);
    names.set(object, object.name);
  }
  return names;
}

function messageModel(
  type: protobuf.Type,
  names: ReadonlyMap<protobuf.ReflectionObject, string>,
): MessageModel {
  const fields = type.fieldsArray.map((field) => fieldModel(type, field, names));
  return {
    name: names.get(type)!,
    typeName: type.fullName.slice(1),
    fields: fields.sort((first, second) => first.number - second.number),
  };
}

function fieldModel(
  owner: protobuf.Type,
  field: protobuf.Field,
  names: ReadonlyMap<protobuf.ReflectionObject, string>,
): FieldModel {
  const { resolvedType } = field;
  const kind = resolvedType === null ? 'scalar' : resolvedType instanceof protobuf.Enum ? 'enum' : 'message';
  return {
    name: field.name,
    number: field.id,
    shape: shapeOf(owner, field),
    kind,
    type: kind === 'scalar' ? field.type : kind === 'enum' ? 'int32' : names.get(resolvedType!)!,
    keyType: field instanceof protobuf.MapField ? field.keyType : null,
    rivals:
      field.partOf?.oneof.filter((name) => name !== field.name) ??
      (kind === 'message' && !field.repeated && !field.map ? [] : null),
  };
}

function shapeOf(owner: protobuf.Type, field: protobuf.Field): FieldModel['shape'] {
  if (field.map) return 'map';
  if (!field.repeated) return 'single';
  return BYTE_ROW_MESSAGES.has(owner.name) ? 'byte-rows' : 'repeated';
}

function statusField(reply: protobuf.Type): number | null {
  if (reply.fullName === STATUS) return 0;
  return reply.fieldsArray.find((field) => field.resolvedType?.fullName === STATUS)?.id ?? null;
}
