import type { PrimaryKeyColumn } from './column.ts';
import type { KeyValue } from './primary-keys.ts';
import { crc32c } from '../util/crc32c.ts';
import { mix32 } from '../util/hash.ts';
import { bytesOf } from '../util/typed-views.ts';

const encoder = new TextEncoder();

/**
 * The channel of a primary key: where its rows are logged, for as long as the collection lives, so this never changes.
 *
 *     h = CRC-32C of the key's bytes (Int64: 8 bytes, little-endian; VarChar: UTF-8)
 *     h = mix32(h), the finalizer of MurmurHash3
 *     channel = h mod channelCount
 */
export function channelIndexOf(key: KeyValue, channelCount: number): number {
  const bytes = typeof key === 'string' ? encoder.encode(key) : bytesOf(BigInt64Array.of(key));
  return mix32(crc32c(bytes)) % channelCount;
}

/** `channelIndexOf` for every row. */
export function channelIndexes(keys: PrimaryKeyColumn, channelCount: number): Uint32Array {
  const channels = new Uint32Array(keys.length);
  if (channelCount === 1) return channels;
  for (let row = 0; row < keys.length; row++) channels[row] = hashKey(keys, row) % channelCount;
  return channels;
}

/** An unsigned 32-bit hash: the `h` above. */
export function hashKey(keys: PrimaryKeyColumn, row: number): number {
  if (keys.type === 'Int64') {
    const { values } = keys;
    return mix32(crc32c(new Uint8Array(values.buffer, values.byteOffset + row * 8, 8)));
  }
  return mix32(crc32c(keys.bytes.subarray(keys.offsets[row]!, keys.offsets[row + 1]!)));
}
