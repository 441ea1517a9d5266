import { isUtf8 } from 'node:buffer';
import { byteRow, byteRowCount, type ByteRows } from './protobuf/byte-rows.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema } from '../../schema/index.ts';

/** Bytes of one JSON value, as in Milvus. */
export const JSON_BYTES_MAX = 65_536;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function checkFinite(values: Float32Array | Float64Array, field: FieldSchema): void {
  for (let index = 0; index < values.length; index++) {
    if (Number.isFinite(values[index])) continue;
    throw invalid(
      `value '${values[index]}' of field ${field.name} is not a number or infinity, element ${index}`,
    );
  }
}

const NARROW = { Int8: [-128, 127], Int16: [-32_768, 32_767] } as const;

export function checkRange(values: Int32Array, type: 'Int8' | 'Int16', field: FieldSchema): void {
  const [low, high] = NARROW[type];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value >= low && value <= high) continue;
    throw invalid(
      `the ${index}th element (${value}) out of range: [${low}, ${high}], field ${field.name} of type ${type}`,
    );
  }
}

/** Valid UTF-8, and at most `max_length` bytes each. `describeRow` completes the message. */
export function checkTexts(rows: ByteRows, field: FieldSchema, describeRow: (index: number) => string): void {
  const maxLength = field.maxLength ?? Number.POSITIVE_INFINITY;
  const count = byteRowCount(rows);
  for (let index = 0; index < count; index++) {
    const length = rows.offsets[index + 1]! - rows.offsets[index]!;
    if (length > maxLength) {
      throw invalid(
        `length of varchar field ${field.name} exceeds max length, ${describeRow(index)}, length: ${length}, max length: ${maxLength}`,
      );
    }
  }
  if (isUtf8Rows(rows)) return;
  const broken = Array.from({ length: count }, (_, index) => index).find(
    (index) => !isUtf8(byteRow(rows, index)),
  );
  throw invalid(`varchar field ${field.name} is not utf-8, ${describeRow(broken ?? 0)}`);
}

/** All at once: the whole is valid, and no row starts inside a character. */
function isUtf8Rows({ offsets, bytes }: ByteRows): boolean {
  const start = offsets[0]!;
  const end = offsets[offsets.length - 1]!;
  if (!isUtf8(bytes.subarray(start, end))) return false;
  for (let index = 0; index < offsets.length - 1; index++) {
    const at = offsets[index]!;
    if (at < end && (bytes[at]! & 0xc0) === 0x80) return false;
  }
  return true;
}

/** Every row is JSON of at most 65 536 bytes. */
export function checkJson(rows: ByteRows, field: FieldSchema): void {
  for (let index = 0; index < byteRowCount(rows); index++) {
    checkJsonBytes(rows, index, field.isDynamic ? 'dynamic field' : `json field (${field.name})`);
    parseJson(rows, index, field);
  }
}

/** Rows of the dynamic field are objects, and none of their keys is a declared field's or `$meta`. */
export function checkDynamic(rows: ByteRows, field: FieldSchema, declared: ReadonlySet<string>): void {
  for (let index = 0; index < byteRowCount(rows); index++) {
    checkJsonBytes(rows, index, 'dynamic field');
    const value = parseJson(rows, index, field);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalid(`dynamic field of row ${index} is not a JSON object`);
    }
    for (const key of Object.keys(value)) {
      if (key === field.name) throw invalid(`cannot set json key to: ${field.name}`);
      if (declared.has(key)) throw invalid(`dynamic field name cannot include the static field name: ${key}`);
    }
  }
}

function checkJsonBytes(rows: ByteRows, index: number, what: string): void {
  const length = rows.offsets[index + 1]! - rows.offsets[index]!;
  if (length > JSON_BYTES_MAX) {
    throw invalid(`the length (${length}) of ${what} exceeds max length (${JSON_BYTES_MAX}), row ${index}`);
  }
}

function parseJson(rows: ByteRows, index: number, field: FieldSchema): unknown {
  try {
    return JSON.parse(decoder.decode(byteRow(rows, index)));
  } catch (error) {
    throw new MishardsError(
      'PARAMETER_INVALID',
      `json field ${field.name} of row ${index} is not valid JSON`,
      {
        cause: error,
      },
    );
  }
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
