import { MUTATION_TYPES, type Mutation } from './mutation.ts';
import { packColumn, packRows, PartReader, unpackKeys, unpackRows } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { PartitionId } from '../schema/index.ts';
import { decodePacket, encodePacket, type JsonValue } from '../util/packet.ts';

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
  const head = packet.head;
  if (typeof head !== 'object' || head === null || Array.isArray(head))
    throw corrupt('the head of a mutation is no object');
  const { partitionId, keys, rows } = head as { readonly [name: string]: JsonValue | undefined };
  const parts = new PartReader(packet.parts);
  const mutation = assemble(type, partitionId, keys, rows, parts);
  parts.end();
  return mutation;
}

function assemble(
  type: number,
  partitionId: JsonValue | undefined,
  keys: JsonValue | undefined,
  rows: JsonValue | undefined,
  parts: PartReader,
): Mutation {
  if (type === MUTATION_TYPES.delete) {
    const partition = partitionId === null ? null : asPartition(partitionId);
    return { kind: 'delete', partitionId: partition, keys: unpackKeys(keys, parts) };
  }
  const kind = type === MUTATION_TYPES.insert ? 'insert' : type === MUTATION_TYPES.upsert ? 'upsert' : null;
  if (kind === null) throw corrupt(`log entries have no type ${type}`);
  return { kind, partitionId: asPartition(partitionId), rows: unpackRows(rows, parts) };
}

function asPartition(value: JsonValue | undefined): PartitionId {
  if (typeof value !== 'string' || !/^\d+$/.test(value))
    throw corrupt(`${JSON.stringify(value)} is no partition id`);
  return value as PartitionId;
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', message);
}
