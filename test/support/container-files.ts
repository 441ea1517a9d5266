import { nativeBinding } from '../../src/kernel/native-binding.ts';

export const HEADER_BYTES = 64;
export const ENTRY_BYTES = 32;

/** A section of a file of the kernel, as `docs/internals/index-format.md` describes it. */
export interface Section {
  readonly tag: string;
  readonly entry: number;
  readonly offset: number;
  readonly size: number;
}

export function sectionsOf(bytes: Buffer): Section[] {
  return Array.from({ length: bytes.readUInt32LE(24) }, (_, index) => {
    const entry = HEADER_BYTES + index * ENTRY_BYTES;
    return {
      tag: bytes.toString('latin1', entry, entry + 4),
      entry,
      offset: Number(bytes.readBigUInt64LE(entry + 8)),
      size: Number(bytes.readBigUInt64LE(entry + 16)),
    };
  });
}

/** Makes all checksums right again: what a hostile writer could do. */
export function signed(bytes: Buffer): Buffer {
  const sum = (start: number, end: number) => nativeBinding().checksum(bytes.subarray(start, end), true);
  const sections = sectionsOf(bytes);
  for (const { entry, offset, size } of sections) bytes.writeUInt32LE(sum(offset, offset + size), entry + 4);
  bytes.writeUInt32LE(0, 28);
  bytes.writeUInt32LE(sum(0, HEADER_BYTES + sections.length * ENTRY_BYTES), 28);
  return bytes;
}
