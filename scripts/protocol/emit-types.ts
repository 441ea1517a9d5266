import type { FieldModel, MessageModel, ProtocolModel } from './protocol-model.ts';
import { scalarType } from './scalar-types.ts';

/** The `.d.ts` beside the generated module. */
export function emitTypes(model: ProtocolModel): string {
  return [
    `import type { ByteRows } from '../protobuf/byte-rows.ts';`,
    `import type { MessageType, MethodDescriptor } from '../protobuf/message-type.ts';`,
    `export type { ByteRows };`,
    ...model.enums.map(
      ({ name, values }) =>
        `export declare const ${name}: {\n${Object.entries(values)
          .map(([key, value]) => `  readonly ${key}: ${value};\n`)
          .join('')}};`,
    ),
    ...model.messages.flatMap(messageTypes),
    `export interface MilvusMethods {`,
    ...model.methods.map(
      ({ name, request, reply }) => `  ${name}: { request: ${request}; reply: ${reply}Init };`,
    ),
    `}`,
    `export declare const MILVUS_METHODS: {`,
    `  readonly [Name in keyof MilvusMethods]: MethodDescriptor<`,
    `    MilvusMethods[Name]['request'],`,
    `    MilvusMethods[Name]['reply']`,
    `  >;`,
    `};`,
    '',
  ].join('\n');
}

function messageTypes({ name, fields }: MessageModel): string[] {
  return [
    `export interface ${name} {`,
    ...fields.map((field) => `  readonly ${field.name}: ${decodedType(field)};`),
    `}`,
    `export interface ${name}Init {`,
    ...fields.map((field) => `  readonly ${field.name}?: ${initType(field)} | undefined;`),
    `}`,
    `export declare const ${name}: MessageType<${name}, ${name}Init>;`,
  ];
}

function decodedType(field: FieldModel): string {
  if (field.shape === 'byte-rows') return 'ByteRows';
  const one = field.kind === 'message' ? field.type : scalarType(field.type).type;
  if (field.shape === 'map') return `ReadonlyMap<${scalarType(field.keyType!).type}, ${one}>`;
  if (field.shape === 'repeated') return repeatedType(field) ?? `readonly ${one}[]`;
  return field.rivals === null ? one : `${one} | null`;
}

function initType(field: FieldModel): string {
  if (field.shape === 'byte-rows') return 'ByteRows';
  const one = field.kind === 'message' ? `${field.type}Init` : scalarType(field.type).type;
  if (field.shape === 'map') return `ReadonlyMap<${scalarType(field.keyType!).type}, ${one}>`;
  if (field.shape === 'repeated') return repeatedType(field) ?? `readonly ${one}[]`;
  return field.rivals === null ? one : `${one} | null`;
}

function repeatedType(field: FieldModel): string | undefined {
  return field.kind === 'message' ? undefined : scalarType(field.type).repeated?.type;
}
