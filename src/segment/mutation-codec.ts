import { MUTATION_TYPES, type Mutation } from './mutation.ts';
import { packColumn, packRows, PartReader, unpackKeys, unpackRows } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { PartitionId } from '../schema/index.ts';
import { JsonFields } from '../util/json-fields.ts';
import { decodePacket, encodePacket } from '../util/packet.ts';

/** A mutation as a log entry carries it: the payload is one packet. */
export interface EncodedMutation {
  readonly type: number;
  readonly payload: Uint8Array;
}

export function encodeMutation(mutation: Mutation): EncodedMutation {
  const parts: Uint8Array[] = [];
  const { kind, partitionId } = mutation;
  const content =
    kind === 'delete' ? { keys: packColumn(mutation.keys, parts) } : { rows: packRows(mutation.rows, parts) };
  return { type: MUTATION_TYPES[kind], payload: encodePacket({ head: { partitionId, ...content }, parts }) };
}

/** The columns are views into `payload` where it is aligned to 8 bytes. Throws `CORRUPT_DATA` on anything `encodeMutation` cannot have made. */
export function decodeMutation(type: number, payload: Uint8Array): Mutation {
  const packet = decodePacket(payload);
  const parts = new PartReader(packet.parts);
  const mutation = unpack(type, new JsonFields('mutation', packet.head), parts);
  parts.end();
  return mutation;
}

function unpack(type: number, fields: JsonFields, parts: PartReader): Mutation {
  const partitionIdOf = (name: string): PartitionId => fields.decimal(name);
  if (type === MUTATION_TYPES.delete) {
    const partitionId = fields.nullable('partitionId', partitionIdOf);
    return { kind: 'delete', partitionId, keys: unpackKeys(fields.raw['keys'], parts) };
  }
  const kind = type === MUTATION_TYPES.insert ? 'insert' : type === MUTATION_TYPES.upsert ? 'upsert' : null;
  if (kind === null) throw new MishardsError('CORRUPT_DATA', `log entries have no type ${type}`);
  return { kind, partitionId: partitionIdOf('partitionId'), rows: unpackRows(fields.raw['rows'], parts) };
}
