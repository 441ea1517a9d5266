import type { PartReader } from '../columns/index.ts';
import { MishardsError } from '../errors/index.ts';
import type { LogEntry } from '../log/log.ts';
import type { LogSequence, Timestamp } from '../schema/index.ts';
import { JsonFields } from '../util/json-fields.ts';
import type { JsonValue } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';

/** Consecutive entries of one channel: their numbers as columns, each payload as a part of its own. */
export function packEntries(entries: readonly LogEntry[], parts: Uint8Array[]): JsonValue {
  parts.push(
    bytesOf(BigUint64Array.from(entries, (entry) => entry.timestamp)),
    bytesOf(Float64Array.from(entries, (entry) => entry.epoch)),
    Uint8Array.from(entries, (entry) => entry.type),
  );
  for (const entry of entries) parts.push(entry.payload);
  return { first: entries[0]?.sequence ?? 0, count: entries.length };
}

/** Payloads are views into the packet. */
export function unpackEntries(head: JsonValue | undefined, parts: PartReader): readonly LogEntry[] {
  const fields = new JsonFields('entries', head);
  const first: LogSequence = fields.count('first');
  const count = fields.count('count');
  const timestamps = viewAs(BigUint64Array, parts.next());
  const epochs = viewAs(Float64Array, parts.next());
  const types = parts.next();
  if (timestamps.length !== count || epochs.length !== count || types.length !== count) {
    throw new MishardsError('CORRUPT_DATA', `the columns of ${count} log entries have other lengths`);
  }
  return Array.from({ length: count }, (_, index) => ({
    type: types[index]!,
    timestamp: timestamps[index]! as Timestamp,
    payload: parts.next(),
    sequence: first + index,
    epoch: epochs[index]!,
  }));
}
