import type { ChannelMeta, CollectionMeta, DatabaseMeta, SegmentMeta, WriterLeader } from './model.ts';
import type { ChannelId, CollectionId, SegmentId } from '../schema/index.ts';

/** The whole domain model at one revision of the metastore. Immutable; share it freely. */
export interface CatalogSnapshot {
  readonly revision: number;
  readonly databases: ReadonlyMap<string, DatabaseMeta>;
  readonly collections: ReadonlyMap<CollectionId, CollectionMeta>;
  readonly writer: WriterLeader | null;
  /** By name or alias. */
  findCollection(databaseName: string, nameOrAlias: string): CollectionMeta | undefined;
  collectionsOf(databaseName: string): readonly CollectionMeta[];
  /** By id ascending; the same array until one of them changes. */
  segmentsOf(collection: CollectionId): readonly SegmentMeta[];
  /** Those that are to take the place of others: to be loaded, not yet to be read. Like `segmentsOf` otherwise. */
  incomingOf(collection: CollectionId): readonly SegmentMeta[];
  /** Of either kind. */
  segment(collection: CollectionId, id: SegmentId): SegmentMeta | undefined;
  channelsOf(collection: CollectionId): readonly ChannelMeta[];
  channel(id: ChannelId): ChannelMeta | undefined;
}

/**
 * The catalog as a process sees it: an immutable snapshot kept fresh by a watch. Reading it does no I/O. When the
 * metastore is away, the last snapshot stays.
 */
export interface Catalog extends AsyncDisposable {
  snapshot(): CatalogSnapshot;
  /** Called after each change, with the newest snapshot. */
  subscribe(listener: (snapshot: CatalogSnapshot) => void): Disposable;
  /** Resolves with the first snapshot that `accepts`; rejects with the signal's reason. Looks at the present one first. */
  waitFor(accepts: (snapshot: CatalogSnapshot) => boolean, signal: AbortSignal): Promise<CatalogSnapshot>;
}
