import { PlaceholderGroup, PlaceholderType } from './generated/milvus.js';
import { bytesPerVector, denseVectors, roundedVectors, sparseVectors } from './vector-column.ts';
import type { VectorColumn } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema, VectorType } from '../../schema/index.ts';
import { viewAs } from '../../util/typed-views.ts';

const QUERIES_MAX = 16_384;

const TYPE_NAMES = new Map(Object.entries(PlaceholderType).map(([name, number]) => [number as number, name]));

/** The query vectors of a search, of the field's type. Throws `PARAMETER_INVALID` for a wrong type, dimension, value or count. */
export function queriesFromWire(bytes: Uint8Array, declaredCount: bigint, field: FieldSchema): VectorColumn {
  const [placeholder] = PlaceholderGroup.decode(bytes).placeholders;
  if (placeholder === undefined) throw invalid('the search request has no query vectors (placeholder_group)');
  const { type, values } = placeholder;
  if (type !== PlaceholderType[field.type as VectorType] && !isRoundable(type, field)) {
    throw invalid(
      `vector type must be the same, field ${field.name} - type ${field.type}, search info type ${TYPE_NAMES.get(type) ?? type}`,
    );
  }
  if (declaredCount !== 0n && declaredCount !== BigInt(values.length)) {
    throw invalid(`nq [${declaredCount}] is invalid, the request has ${values.length} query vectors`);
  }
  checkQueryCount(values.length);
  if (field.type === 'SparseFloatVector') return sparseVectors(values);
  const rounded = isRoundable(type, field);
  const all = joined(values, rounded ? field.dim! * 4 : bytesPerVector(field), field);
  return denseVectors(field, rounded ? roundedVectors(field, viewAs(Float32Array, all)) : all);
}

/** As in Milvus. */
export function checkQueryCount(count: number): void {
  if (count > 0 && count <= QUERIES_MAX) return;
  throw invalid(
    `nq [${count}] is invalid, nq (number of search vector per search request) should be in range [1, ${QUERIES_MAX}], but got ${count}`,
  );
}

/** 32-bit queries are rounded for fields of half floats, as in Milvus. */
function isRoundable(type: number, field: FieldSchema): boolean {
  const isHalf = field.type === 'Float16Vector' || field.type === 'BFloat16Vector';
  return isHalf && type === PlaceholderType.FloatVector;
}

/** A view of the request for a single query. */
function joined(values: readonly Uint8Array[], rowBytes: number, field: FieldSchema): Uint8Array {
  const wrong = values.find((value) => value.byteLength !== rowBytes);
  if (wrong !== undefined) {
    throw invalid(
      `vector dimension mismatch of field ${field.name}, expected vector size(byte) ${rowBytes}, actual ${wrong.byteLength}`,
    );
  }
  if (values.length === 1) return values[0]!;
  const all = new Uint8Array(values.length * rowBytes);
  values.forEach((value, index) => all.set(value, index * rowBytes));
  return all;
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
