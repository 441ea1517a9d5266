import { MishardsError } from '../errors/index.ts';
import type { Positions } from './writer-api.ts';
import type { ChannelId } from '../schema/index.ts';
import type { JsonValue } from '../util/packet.ts';

/** What the heads of packets between nodes are read with. All throw `CORRUPT_DATA` naming `what`. */
export type Head = Readonly<Record<string, JsonValue | undefined>>;

export function asHead(value: JsonValue | undefined, what: string): Head {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unlike(value, what);
  return value as Head;
}

export function asList(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw unlike(value, what);
  return value;
}

export function asText(value: JsonValue | undefined, what: string): string {
  if (typeof value !== 'string') throw unlike(value, what);
  return value;
}

export function asNumber(value: JsonValue | undefined, what: string): number {
  if (typeof value !== 'number') throw unlike(value, what);
  return value;
}

/** A safe integer from 0 up. */
export function asCount(value: JsonValue | undefined, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw unlike(value, what);
  return value as number;
}

export function asFlag(value: JsonValue | undefined, what: string): boolean {
  if (typeof value !== 'boolean') throw unlike(value, what);
  return value;
}

/** Texts, of which `Id` may be a branded kind. */
export function asTexts<Id extends string = string>(
  value: JsonValue | undefined,
  what: string,
): readonly Id[] {
  return asList(value, what).map((entry) => asText(entry, what) as Id);
}

export function asCounts(value: JsonValue | undefined, what: string): readonly number[] {
  return asList(value, what).map((entry) => asCount(entry, what));
}

/** null where the value is null, else what `read` makes of it. */
export function orNull<T>(
  value: JsonValue | undefined,
  what: string,
  read: (value: JsonValue | undefined, what: string) => T,
): T | null {
  return value === null ? null : read(value, what);
}

export function packPositions(positions: Positions): JsonValue {
  return [...positions];
}

export function unpackPositions(value: JsonValue | undefined, what: string): Positions {
  return new Map(
    asList(value, what).map((entry) => {
      const [channel, sequence] = asList(entry, what);
      return [asText(channel, what) as ChannelId, asCount(sequence, what)];
    }),
  );
}

function unlike(value: JsonValue | undefined, what: string): MishardsError {
  const shown = JSON.stringify(value)?.slice(0, 100) ?? 'nothing';
  return new MishardsError('CORRUPT_DATA', `${shown} came where ${what} belongs in a packet between nodes`);
}
