import type { SegmentMeta } from '../catalog/model.ts';
import type { CollectionId, IndexId, SegmentId } from '../schema/index.ts';

/** All that belongs to segments, and all their deletes. What follows is the collection's id. */
export const SEGMENTS_PREFIX = 'segment/';
export const DELTAS_PREFIX = 'delta/';

/** Of a key under one of them. */
export function collectionOfKey(key: string): CollectionId {
  return key.split('/')[1]! as CollectionId;
}

/** What belongs to a segment and nothing else; all of it goes when the segment goes. */
export function segmentPrefix(collectionId: CollectionId, segmentId: SegmentId): string {
  return `${SEGMENTS_PREFIX}${collectionId}/${segmentId}/`;
}

/** What belongs to a collection's segments. */
export function collectionSegmentsPrefix(collectionId: CollectionId): string {
  return `${SEGMENTS_PREFIX}${collectionId}/`;
}

export function rowsKey(collectionId: CollectionId, segmentId: SegmentId): string {
  return `${segmentPrefix(collectionId, segmentId)}rows.arrow`;
}

export function vectorsKey(collectionId: CollectionId, segmentId: SegmentId, fieldId: number): string {
  return `${segmentPrefix(collectionId, segmentId)}vectors-${fieldId}.vec`;
}

/** `buildId`: each build has its own, so that no build overwrites what another has made. */
export function indexKey(
  collectionId: CollectionId,
  segmentId: SegmentId,
  indexId: IndexId,
  buildId: string,
): string {
  return `${segmentPrefix(collectionId, segmentId)}index-${indexId}-${buildId}.idx`;
}

/** What belongs to a collection's deletes. */
export function collectionDeltasPrefix(collectionId: CollectionId): string {
  return `${DELTAS_PREFIX}${collectionId}/`;
}

export function deltaKey(collectionId: CollectionId, deltaId: string): string {
  return `${collectionDeltasPrefix(collectionId)}${deltaId}.del`;
}

/** All objects of a segment. */
export function objectKeysOf({ rows, vectors, indexes }: SegmentMeta): readonly string[] {
  return [rows, ...vectors, ...indexes].map(({ objectKey }) => objectKey);
}
