import type { CollectionId, IndexId, SegmentId } from '../schema/index.ts';

/** What belongs to a segment and nothing else; all of it goes when the segment goes. */
export function segmentPrefix(collectionId: CollectionId, segmentId: SegmentId): string {
  return `segment/${collectionId}/${segmentId}/`;
}

/** What belongs to a collection's segments. */
export function collectionSegmentsPrefix(collectionId: CollectionId): string {
  return `segment/${collectionId}/`;
}

export function rowsKey(collectionId: CollectionId, segmentId: SegmentId): string {
  return `${segmentPrefix(collectionId, segmentId)}rows.arrow`;
}

export function vectorsKey(collectionId: CollectionId, segmentId: SegmentId, fieldId: number): string {
  return `${segmentPrefix(collectionId, segmentId)}vectors-${fieldId}.vec`;
}

export function indexKey(collectionId: CollectionId, segmentId: SegmentId, indexId: IndexId): string {
  return `${segmentPrefix(collectionId, segmentId)}index-${indexId}.idx`;
}

/** What belongs to a collection's deletes. */
export function collectionDeltasPrefix(collectionId: CollectionId): string {
  return `delta/${collectionId}/`;
}

export function deltaKey(collectionId: CollectionId, deltaId: string): string {
  return `${collectionDeltasPrefix(collectionId)}${deltaId}.del`;
}
