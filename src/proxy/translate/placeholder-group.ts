import { PlaceholderGroup, PlaceholderType } from './generated/milvus.js';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema } from '../../schema/index.ts';
import { bytesOf, viewAs } from '../../util/typed-views.ts';

/** The query vectors of a search. */
export interface Queries {
  readonly count: number;
  /** count * dim values; a view of the request where it is aligned. */
  readonly vectors: Float32Array;
}

const QUERIES_MAX = 16_384;

const TYPE_NAMES = new Map(Object.entries(PlaceholderType).map(([name, number]) => [number as number, name]));

/** Throws `PARAMETER_INVALID` for a wrong type, dimension or count. */
export function queriesFromWire(bytes: Uint8Array, declaredCount: bigint, field: FieldSchema): Queries {
  const [placeholder] = PlaceholderGroup.decode(bytes).placeholders;
  if (placeholder === undefined) throw invalid('the search request has no query vectors (placeholder_group)');
  if (placeholder.type !== PlaceholderType.FloatVector) {
    throw invalid(
      `vector type must be the same, field ${field.name} - type FloatVector, search info type ${TYPE_NAMES.get(placeholder.type) ?? placeholder.type}`,
    );
  }
  const { values } = placeholder;
  if (declaredCount !== 0n && declaredCount !== BigInt(values.length)) {
    throw invalid(`nq [${declaredCount}] is invalid, the request has ${values.length} query vectors`);
  }
  checkQueryCount(values.length);
  return { count: values.length, vectors: joined(values, field) };
}

/** As in Milvus. */
export function checkQueryCount(count: number): void {
  if (count > 0 && count <= QUERIES_MAX) return;
  throw invalid(
    `nq [${count}] is invalid, nq (number of search vector per search request) should be in range [1, ${QUERIES_MAX}], but got ${count}`,
  );
}

function joined(values: readonly Uint8Array[], field: FieldSchema): Float32Array {
  const dim = field.dim!;
  const wrong = values.find((value) => value.byteLength !== dim * 4);
  if (wrong !== undefined) {
    throw invalid(
      `vector dimension mismatch of field ${field.name}, expected vector size(byte) ${dim * 4}, actual ${wrong.byteLength}`,
    );
  }
  const vectors =
    values.length === 1 ? viewAs(Float32Array, values[0]!) : new Float32Array(values.length * dim);
  if (values.length > 1) {
    const target = bytesOf(vectors);
    values.forEach((value, index) => target.set(value, index * dim * 4));
  }
  const bad = vectors.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw invalid(
      `query vector ${Math.floor(bad / dim)} holds ${vectors[bad]}, which is not a finite number`,
    );
  }
  return vectors;
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
