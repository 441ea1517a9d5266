import { MishardsError } from '../errors/index.ts';

interface ViewType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** `bytes` seen as another typed array: a view where it is aligned, else one copy. Little-endian hosts only. */
export function viewAs<T>(type: ViewType<T>, bytes: Uint8Array): T {
  const size = type.BYTES_PER_ELEMENT;
  if (bytes.byteLength % size !== 0) {
    throw new MishardsError(
      'CORRUPT_DATA',
      `${bytes.byteLength} bytes are not a whole number of ${size}-byte values`,
    );
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new type(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
