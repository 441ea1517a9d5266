import { MishardsError } from '../errors/index.ts';
import type { ChannelId, CollectionId, SegmentId } from '../schema/index.ts';

/** Everything the snapshot is built from lies under this prefix. */
export const CATALOG_PREFIX = 'catalog/';
/** Put by every transaction of the active writer: which of its transactions was the last. */
export const COMMIT_KEY = 'catalog/commit';
/** The active writer's document; it vanishes with its lease. */
export const WRITER_LEASE_KEY = 'lease/writer';
/** The highest epoch ever given to a writer; it outlives the leases. */
export const WRITER_EPOCH_KEY = 'lease/writer-epoch';
/** The first id nobody has reserved. */
export const NEXT_ID_KEY = 'ids/next';

export const databaseDocumentKey = (name: string): string => `catalog/database/${encodeURIComponent(name)}`;
export const collectionDocumentKey = (id: CollectionId): string => `catalog/collection/${id}`;
/** One for each collection name and alias, so that they are unique together. */
export const nameDocumentKey = (databaseName: string, name: string): string =>
  `catalog/name/${encodeURIComponent(databaseName)}/${encodeURIComponent(name)}`;
export const segmentDocumentKey = (collectionId: CollectionId, id: SegmentId): string =>
  `catalog/segment/${collectionId}/${id}`;

export function channelDocumentKey(id: ChannelId): string {
  return `catalog/channel/${collectionOfChannel(id)}/${channelNumber(id)}`;
}

export function channelId(collectionId: CollectionId, number: number): ChannelId {
  return `${collectionId}-${number}` as ChannelId;
}

export function collectionOfChannel(id: ChannelId): CollectionId {
  return id.slice(0, id.lastIndexOf('-')) as CollectionId;
}

export function channelNumber(id: ChannelId): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}

export type CatalogKey =
  | { readonly kind: 'database'; readonly name: string }
  | { readonly kind: 'collection'; readonly id: CollectionId }
  | { readonly kind: 'name'; readonly databaseName: string; readonly name: string }
  | { readonly kind: 'channel'; readonly collectionId: CollectionId; readonly id: ChannelId }
  | { readonly kind: 'segment'; readonly collectionId: CollectionId; readonly id: SegmentId };

/** null for keys that say nothing about the model; `CORRUPT_DATA` for one whose names are not encoded as ours. */
export function parseCatalogKey(key: string): CatalogKey | null {
  const [, kind, first, second] = key.split('/');
  if (first === undefined) return null;
  if (kind === 'database') return { kind, name: decoded(first, key) };
  if (kind === 'collection') return { kind, id: first as CollectionId };
  if (second === undefined) return null;
  const collectionId = first as CollectionId;
  if (kind === 'name') {
    return { kind, databaseName: decoded(first, key), name: decoded(second, key) };
  }
  if (kind === 'channel') return { kind, collectionId, id: channelId(collectionId, Number(second)) };
  if (kind === 'segment') return { kind, collectionId, id: second as SegmentId };
  return null;
}

function decoded(part: string, key: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new MishardsError('CORRUPT_DATA', `${key} is no key of the catalog`, { cause: error });
  }
}
