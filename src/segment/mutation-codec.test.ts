import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMutation, encodeMutation } from './mutation-codec.ts';
import { MUTATION_TYPES, type Mutation } from './mutation.ts';
import { keysFromValues, valuesOf } from '../columns/index.ts';
import { SeededRandom } from '../host/index.ts';
import type { PartitionId } from '../schema/index.ts';
import { encodePacket } from '../util/packet.ts';
import { randomRows, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { testSeed } from '../../test/support/seed.ts';

const partitionId = '7' as PartitionId;

function contentOf(mutation: Mutation): unknown {
  const { kind } = mutation;
  if (kind === 'delete') return [kind, mutation.partitionId, mutation.keys.type, valuesOf(mutation.keys)];
  const columns = [...mutation.rows.columns].map(([fieldId, column]) => [fieldId, valuesOf(column)]);
  return [kind, mutation.partitionId, mutation.rows.rowCount, columns];
}

test(`mutations come back from the log (seed ${testSeed})`, () => {
  const rows = randomRows(new SeededRandom(testSeed), schemaOfAllTypes('VarChar', 4), 10);
  const mutations: Mutation[] = [
    { kind: 'insert', partitionId, rows },
    { kind: 'upsert', partitionId, rows },
    { kind: 'delete', partitionId, keys: keysFromValues('Int64', [1n, -(2n ** 63n)]) },
    { kind: 'delete', partitionId: null, keys: keysFromValues('VarChar', ['a', 'é']) },
  ];
  for (const mutation of mutations) {
    const { type, payload } = encodeMutation(mutation);
    assert.equal(type, MUTATION_TYPES[mutation.kind]);
    assert.deepEqual(contentOf(decodeMutation(type, payload)), contentOf(mutation));
    const unaligned = new Uint8Array(payload.byteLength + 1).subarray(1);
    unaligned.set(payload);
    assert.deepEqual(contentOf(decodeMutation(type, unaligned)), contentOf(mutation));
  }
});

test('what encodeMutation cannot have made is refused', () => {
  const { payload } = encodeMutation({ kind: 'delete', partitionId, keys: keysFromValues('Int64', [1n]) });
  const floats = { type: 'Float', length: 1, nullable: false };
  const refused: [number, Uint8Array][] = [
    [MUTATION_TYPES.insert, payload],
    [9, payload],
    [MUTATION_TYPES.delete, payload.subarray(0, payload.byteLength - 8)],
    [MUTATION_TYPES.delete, encodePacket({ head: null, parts: [] })],
    [MUTATION_TYPES.delete, encodePacket({ head: { partitionId: 'x', keys: floats }, parts: [] })],
    [
      MUTATION_TYPES.delete,
      encodePacket({ head: { partitionId, keys: floats }, parts: [new Uint8Array(4)] }),
    ],
  ];
  for (const [type, bytes] of refused) {
    assert.throws(() => decodeMutation(type, bytes), { code: 'CORRUPT_DATA' });
  }
});
