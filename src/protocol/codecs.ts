import { MishardsError } from '../errors/index.ts';
import type { Positions } from './writer-api.ts';
import type { ChannelId } from '../schema/index.ts';
import type { JsonValue } from '../util/packet.ts';

/** A map of channels to log sequences as JSON. */
export function packPositions(positions: Positions): JsonValue {
  return [...positions];
}

/** `CORRUPT_DATA`, naming `what`, for anything `packPositions` cannot have made. */
export function unpackPositions(value: JsonValue | undefined, what: string): Positions {
  if (!Array.isArray(value)) throw unlike(value, what);
  return new Map(value.map((entry) => asPosition(entry, what)));
}

function asPosition(entry: JsonValue, what: string): readonly [ChannelId, number] {
  if (!Array.isArray(entry) || entry.length !== 2) throw unlike(entry, what);
  const [channel, sequence]: readonly JsonValue[] = entry;
  if (typeof channel !== 'string' || typeof sequence !== 'number') throw unlike(entry, what);
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw unlike(entry, what);
  return [channel as ChannelId, sequence];
}

function unlike(value: JsonValue | undefined, what: string): MishardsError {
  const shown = JSON.stringify(value)?.slice(0, 100) ?? 'nothing';
  return new MishardsError('CORRUPT_DATA', `${shown} came where ${what} belongs in a packet between nodes`);
}
