import {
  KeyIndex,
  channelIndexes,
  takeColumn,
  takeRows,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../columns/index.ts';

/** What of a request belongs to one channel of the collection. */
export interface ChannelPart<T> {
  readonly channelIndex: number;
  readonly part: T;
}

/** Rows by the channel of their key, in the order they came. With one channel nothing is copied. */
export function splitRows(
  rows: RowBatch,
  keys: PrimaryKeyColumn,
  channelCount: number,
): readonly ChannelPart<RowBatch>[] {
  if (channelCount === 1) return [{ channelIndex: 0, part: rows }];
  return rowsByChannel(keys, channelCount).map(({ channelIndex, part }) => ({
    channelIndex,
    part: takeRows(rows, part),
  }));
}

export function splitKeys(
  keys: PrimaryKeyColumn,
  channelCount: number,
): readonly ChannelPart<PrimaryKeyColumn>[] {
  if (channelCount === 1) return [{ channelIndex: 0, part: keys }];
  return rowsByChannel(keys, channelCount).map(({ channelIndex, part }) => ({
    channelIndex,
    part: takeColumn(keys, part) as PrimaryKeyColumn,
  }));
}

/** The last row of each key; `rows` itself when no key comes twice. */
export function lastOfEachKey(rows: RowBatch, keys: PrimaryKeyColumn): RowBatch {
  const index = new KeyIndex(keys);
  if (index.keyCount === keys.length) return rows;
  const last = new Uint32Array(index.keyCount);
  let count = 0;
  for (let row = 0; row < keys.length; row++) if (index.newest(keys, row) === row) last[count++] = row;
  return takeRows(rows, last);
}

/** Row numbers of each channel that has any. */
function rowsByChannel(keys: PrimaryKeyColumn, channelCount: number): readonly ChannelPart<Uint32Array>[] {
  const channels = channelIndexes(keys, channelCount);
  const counts = new Uint32Array(channelCount);
  for (const channel of channels) counts[channel]!++;
  const parts = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let row = 0; row < channels.length; row++) {
    const channel = channels[row]!;
    parts[channel]![counts[channel]!++] = row;
  }
  return parts.map((part, channelIndex) => ({ channelIndex, part })).filter(({ part }) => part.length > 0);
}
