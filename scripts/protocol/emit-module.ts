import type { FieldModel, MessageModel, MethodModel, ProtocolModel } from './protocol-model.ts';
import { scalarType } from './scalar-types.ts';

/** The generated module: one decode and one encode function a message, and the table of methods. */
export function emitModule(model: ProtocolModel): string {
  return [
    `import { NO_ROWS, messageType, repeated } from '../protobuf/message-type.ts';`,
    `const NO_BYTES = new Uint8Array(0);`,
    ...model.enums.map(({ name, values }) => `export const ${name} = ${JSON.stringify(values)};`),
    ...model.messages.flatMap((message) => [...emitDecode(message), ...emitEncode(message)]),
    ...model.messages.map(
      ({ name, typeName }) =>
        `export const ${name} = messageType('${typeName}', decode${name}, encode${name});`,
    ),
    `export const MILVUS_METHODS = {`,
    ...model.methods.map(emitMethod),
    `};`,
    '',
  ].join('\n');
}

function emitMethod({ name, path, request, reply, statusField }: MethodModel): string {
  return `  ${name}: { path: '${path}', request: ${request}, reply: ${reply}, statusField: ${statusField} },`;
}

function emitDecode({ name, fields }: MessageModel): string[] {
  return [
    `function decode${name}(r, end) {`,
    `  const m = { ${fields.map((field) => `${field.name}: ${zeroOf(field)}`).join(', ')} };`,
    `  while (r.position < end) {`,
    `    const tag = r.uint32();`,
    `    switch (tag) {`,
    ...fields.flatMap(decodeCases),
    `      default:`,
    `        r.skip(tag);`,
    `    }`,
    `  }`,
    `  return m;`,
    `}`,
  ];
}

function zeroOf(field: FieldModel): string {
  if (field.shape === 'byte-rows') return 'NO_ROWS';
  if (field.shape === 'map') return 'new Map()';
  if (field.shape === 'repeated') {
    const typed = field.kind === 'message' ? null : scalarType(field.type).repeated;
    return typed === null ? '[]' : `repeated.${typed.empty}`;
  }
  return field.rivals === null ? scalarType(field.type).zero : 'null';
}

function decodeCases(field: FieldModel): string[] {
  const { name } = field;
  if (field.shape === 'map') return mapCase(field);
  if (field.shape === 'byte-rows') {
    return [
      ...caseOf(field, 2),
      `        m.${name} = repeated.repeatedByteRows(r, tag, m.${name}, end);`,
      BREAK,
    ];
  }
  if (field.shape === 'repeated') return repeatedCase(field);
  const read = readOne(field);
  const cleared = (field.rivals ?? []).map((rival) => `        m.${rival} = null;`);
  return [...caseOf(field, wireType(field)), ...cleared, `        m.${name} = ${read};`, BREAK];
}

function repeatedCase(field: FieldModel): string[] {
  const { name } = field;
  const typed = field.kind === 'message' ? null : scalarType(field.type).repeated;
  if (typed === null) return [...caseOf(field, 2), `        m.${name}.push(${readOne(field)});`, BREAK];
  return [
    ...caseOf(field, wireType(field)),
    ...caseOf(field, 2),
    `        m.${name} = repeated.${typed.read}(r, tag, m.${name}, end);`,
    BREAK,
  ];
}

function mapCase(field: FieldModel): string[] {
  const key = scalarType(field.keyType!);
  const zero = field.kind === 'message' ? `decode${field.type}(r, r.position)` : scalarType(field.type).zero;
  return [
    ...caseOf(field, 2),
    `        r.nested((r, end) => {`,
    `          let key = ${key.zero};`,
    `          let value;`,
    `          while (r.position < end) {`,
    `            const tag = r.uint32();`,
    `            if (tag === ${tagOf(1, key.wireType)}) key = r.${key.stem}();`,
    `            else if (tag === ${tagOf(2, wireType(field))}) value = ${readOne(field)};`,
    `            else r.skip(tag);`,
    `          }`,
    `          m.${field.name}.set(key, value ?? ${zero});`,
    `        });`,
    BREAK,
  ];
}

const BREAK = '        break;';

function caseOf(field: FieldModel, wire: number): string[] {
  return [`      case ${tagOf(field.number, wire)}:`];
}

function readOne(field: FieldModel): string {
  return field.kind === 'message' ? `r.nested(decode${field.type})` : `r.${scalarType(field.type).stem}()`;
}

function emitEncode({ name, fields }: MessageModel): string[] {
  const descending = [...fields].sort((first, second) => second.number - first.number);
  return [`function encode${name}(w, m) {`, ...descending.flatMap(encodeField), `}`];
}

function encodeField(field: FieldModel): string[] {
  const value = `m.${field.name}`;
  const tag = tagOf(field.number, 2);
  if (field.shape === 'byte-rows')
    return [`  if (${value} !== undefined) w.byteRowsField(${tag}, ${value});`];
  if (field.shape === 'map') return encodeMap(field);
  if (field.shape === 'repeated') return encodeRepeated(field);
  const present = field.rivals === null ? isNotZero(field, value) : `${value} != null`;
  return [`  if (${present}) {`, ...writeOne(field, value, field.number, '    '), `  }`];
}

/** Zero values are not sent; -0 and NaN are. */
function isNotZero(field: FieldModel, value: string): string {
  if (field.type === 'float' || field.type === 'double') {
    return `${value} !== undefined && !Object.is(${value}, 0)`;
  }
  return field.type === 'bytes' ? `${value}?.length` : value;
}

function encodeRepeated(field: FieldModel): string[] {
  const value = `m.${field.name}`;
  const tag = tagOf(field.number, 2);
  if (field.kind === 'message') {
    return [
      `  for (let i = (${value}?.length ?? 0) - 1; i >= 0; i--) {`,
      ...writeOne(field, `${value}[i]`, field.number, '    '),
      `  }`,
    ];
  }
  const typed = scalarType(field.type).repeated;
  const write = typed?.write ?? (field.type === 'string' ? 'stringsField' : 'byteStringsField');
  return [`  if (${value} !== undefined) w.${write}(${tag}, ${value});`];
}

function encodeMap(field: FieldModel): string[] {
  const key = scalarType(field.keyType!);
  return [
    `  for (const [key, value] of [...(m.${field.name} ?? [])].reverse()) {`,
    `    const entry = w.size;`,
    ...writeOne(field, 'value', 2, '    '),
    `    w.${key.stem}Field(${tagOf(1, key.wireType)}, key);`,
    `    w.closeField(${tagOf(field.number, 2)}, entry);`,
    `  }`,
  ];
}

function writeOne(field: FieldModel, value: string, number: number, indent: string): string[] {
  const tag = tagOf(number, wireType(field));
  if (field.kind !== 'message') return [`${indent}w.${scalarType(field.type).stem}Field(${tag}, ${value});`];
  return [
    `${indent}const before = w.size;`,
    `${indent}encode${field.type}(w, ${value});`,
    `${indent}w.closeField(${tag}, before);`,
  ];
}

function wireType(field: FieldModel): number {
  return field.kind === 'message' ? 2 : scalarType(field.type).wireType;
}

function tagOf(number: number, wire: number): number {
  return ((number << 3) | wire) >>> 0;
}
