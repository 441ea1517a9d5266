import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VectorField } from './generated/milvus.js';
import { vectorColumn } from './vector-column.ts';
import { vectorsToWire } from './vectors-to-wire.ts';
import { fieldOf } from '../../../test/support/random-rows.ts';
import { columnFromValues, valuesOf, type VectorColumn } from '../../columns/index.ts';
import type { FieldSchema, VectorType } from '../../schema/index.ts';
import { toBfloat16, toFloat16 } from '../../util/half-floats.ts';
import { bytesOf } from '../../util/typed-views.ts';

const NOTHING: VectorField = {
  dim: 0n,
  floatVector: null,
  binaryVector: null,
  float16Vector: null,
  bfloat16Vector: null,
  sparseFloatVector: null,
  int8Vector: null,
  vectorArray: null,
};
const of = (type: VectorType, dim: number | null): FieldSchema => fieldOf({ id: 101, name: 'v', type, dim });
const read = (field: FieldSchema, sent: Partial<VectorField>): VectorColumn | null =>
  vectorColumn(field, { ...NOTHING, dim: BigInt(field.dim ?? 0), ...sent });
const refuses = (field: FieldSchema, sent: Partial<VectorField>, message: RegExp): void =>
  assert.throws(() => read(field, sent), { code: 'PARAMETER_INVALID', message });

/** Entries of sparse rows as they are sent, whether right or not. */
function sparse(
  ...rows: readonly (readonly (readonly [index: number, value: number])[])[]
): Partial<VectorField> {
  const contents = rows.map((row) => {
    const words = new Uint32Array(row.flatMap(([index]) => [index, 0]));
    const floats = new Float32Array(words.buffer);
    row.forEach(([, value], at) => (floats[2 * at + 1] = value));
    return bytesOf(words);
  });
  return { sparseFloatVector: { contents, dim: 0n } };
}

test('what is shown of vectors can be sent again', () => {
  const columns: VectorColumn[] = [
    columnFromValues(of('FloatVector', 2), [Float32Array.of(1, -2), Float32Array.of(0.5, 3)]),
    columnFromValues(of('Float16Vector', 2), [
      toFloat16(Float32Array.of(1, -2)),
      toFloat16(Float32Array.of(0, 3)),
    ]),
    columnFromValues(of('BFloat16Vector', 1), [toBfloat16(Float32Array.of(-7))]),
    columnFromValues(of('Int8Vector', 3), [Int8Array.of(-128, 0, 127)]),
    columnFromValues(of('BinaryVector', 16), [Uint8Array.of(1, 255), Uint8Array.of(0, 128)]),
    columnFromValues(of('SparseFloatVector', null), [
      new Map([
        [0, 1],
        [0xffff_fffe, 0.25],
      ]),
      new Map(),
      new Map([[7, 0]]),
    ]),
  ] as VectorColumn[];
  for (const column of columns) {
    const field = of(column.type, 'dim' in column ? column.dim : null);
    const again = read(field, vectorsToWire(column) as Partial<VectorField>)!;
    assert.deepEqual(valuesOf(again), valuesOf(column), column.type);
  }
});

test('null vectors are left out of answers', () => {
  const column = columnFromValues(of('Int8Vector', 2), [null, Int8Array.of(1, 2), null]) as VectorColumn;
  assert.deepEqual(vectorsToWire(column).int8Vector, Uint8Array.of(1, 2));
  const rows = columnFromValues(of('SparseFloatVector', null), [null, new Map([[4, 1]])]) as VectorColumn;
  const { contents, dim } = vectorsToWire(rows).sparseFloatVector!;
  assert.equal(contents!.length, 1);
  assert.equal(dim, 5n);
});

test('32-bit floats are rounded for fields of half floats', () => {
  const data = Float32Array.of(1.0001, -3);
  for (const [type, rounded] of [
    ['Float16Vector', toFloat16(data)],
    ['BFloat16Vector', toBfloat16(data)],
  ] as const)
    assert.deepEqual(valuesOf(read(of(type, 2), { floatVector: { data } })!), [rounded]);
  refuses(
    of('Float16Vector', 1),
    { floatVector: { data: Float32Array.of(1e6) } },
    /out of the range of Float16/,
  );
});

test('values that are not finite are refused in halves as well', () => {
  const wrong = Float32Array.of(1, NaN);
  refuses(of('FloatVector', 2), { floatVector: { data: wrong } }, /not a number or infinity/);
  refuses(
    of('Float16Vector', 2),
    { float16Vector: bytesOf(toFloat16(wrong)) },
    /element 1 of field v is not a number/,
  );
  const infinite = toBfloat16(Float32Array.of(-Infinity, 0));
  refuses(of('BFloat16Vector', 2), { bfloat16Vector: bytesOf(infinite) }, /element 0 of field v/);
});

test('dimensions and lengths must fit', () => {
  refuses(of('Int8Vector', 2), { dim: 3n, int8Vector: new Uint8Array(3) }, /dim \(3\).*schema dim \(2\)/);
  refuses(
    of('BinaryVector', 16),
    { binaryVector: new Uint8Array(3) },
    /length\(24\) of binary data.*dim\(16\)/,
  );
  refuses(of('Float16Vector', 2), { float16Vector: new Uint8Array(6) }, /length\(3\) of float16 data/);
  assert.equal(read(of('Int8Vector', 2), { binaryVector: new Uint8Array(2) }), null);
  assert.equal(read(of('SparseFloatVector', null), { int8Vector: new Uint8Array(2) }), null);
});

test('sparse rows ascend without repeats and have finite values from 0 up', () => {
  const field = of('SparseFloatVector', null);
  const good: [number, number] = [1, 1];
  refuses(field, sparse([good], [[2, 1], good]), /unsorted or same indices.*row 1$/);
  refuses(field, sparse([good, good]), /unsorted or same indices/);
  refuses(field, sparse([[0xffff_ffff, 1]]), /must be less than 2\^32-1/);
  refuses(field, sparse([[1, -0.5]]), /negative value/);
  refuses(field, sparse([[1, NaN]]), /not a number or infinity/);
  refuses(
    field,
    { sparseFloatVector: { contents: [new Uint8Array(12)], dim: 0n } },
    /invalid data length.*12/,
  );
});
