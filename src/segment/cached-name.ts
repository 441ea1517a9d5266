import type { SegmentFile } from '../catalog/model.ts';

/**
 * Name of an object's local file: the key with `~`, which no key has, for `/`, then `@` and the size, so that a complete
 * file is told from a cut one, and one version of an object from another, without asking anybody.
 */
export function cachedNameOf({ objectKey, sizeBytes }: SegmentFile): string {
  return `${objectKey.replaceAll('/', '~')}@${sizeBytes}`;
}

/** The reverse; null for names that are not of this form. */
export function fileOfCachedName(name: string): SegmentFile | null {
  const match = /^([A-Za-z0-9._~-]+)@(\d+)$/.exec(name);
  return match === null ? null : { objectKey: match[1]!.replaceAll('~', '/'), sizeBytes: Number(match[2]) };
}
