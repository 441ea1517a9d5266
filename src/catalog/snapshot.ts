import type { CatalogSnapshot } from './catalog.ts';
import { CollectionContents } from './collection-contents.ts';
import { collectionOfChannel } from './keys.ts';
import type { ChannelMeta, CollectionMeta, DatabaseMeta, SegmentMeta, WriterLeader } from './model.ts';
import type { ChannelId, CollectionId, SegmentId } from '../schema/index.ts';

export interface SnapshotParts {
  readonly revision: number;
  readonly databases: ReadonlyMap<string, DatabaseMeta>;
  readonly collections: ReadonlyMap<CollectionId, CollectionMeta>;
  /** By `nameOf`. */
  readonly names: ReadonlyMap<string, CollectionId>;
  readonly contents: ReadonlyMap<CollectionId, CollectionContents>;
  readonly writer: WriterLeader | null;
}

export const EMPTY_PARTS: SnapshotParts = {
  revision: 0,
  databases: new Map(),
  collections: new Map(),
  names: new Map(),
  contents: new Map(),
  writer: null,
};

/** Database names cannot contain a slash in Milvus; a collection name that could would still be unambiguous. */
export const nameOf = (databaseName: string, name: string): string => `${databaseName}/${name}`;

/** Documents whose owner is gone: the active writer removes what they name, then them. */
export interface Orphans {
  readonly segments: readonly SegmentMeta[];
  readonly channels: readonly ChannelMeta[];
}

export class Snapshot implements CatalogSnapshot {
  readonly parts: SnapshotParts;
  #byDatabase: Map<string, CollectionMeta[]> | undefined;

  constructor(parts: SnapshotParts) {
    this.parts = parts;
  }

  get revision(): number {
    return this.parts.revision;
  }

  get databases(): ReadonlyMap<string, DatabaseMeta> {
    return this.parts.databases;
  }

  get collections(): ReadonlyMap<CollectionId, CollectionMeta> {
    return this.parts.collections;
  }

  get writer(): WriterLeader | null {
    return this.parts.writer;
  }

  findCollection(databaseName: string, nameOrAlias: string): CollectionMeta | undefined {
    const id = this.parts.names.get(nameOf(databaseName, nameOrAlias));
    return id === undefined ? undefined : this.parts.collections.get(id);
  }

  collectionsOf(databaseName: string): readonly CollectionMeta[] {
    this.#byDatabase ??= Map.groupBy(this.parts.collections.values(), (meta) => meta.databaseName);
    return this.#byDatabase.get(databaseName) ?? [];
  }

  segmentsOf(collection: CollectionId): readonly SegmentMeta[] {
    return this.#contents(collection).visible;
  }

  incomingOf(collection: CollectionId): readonly SegmentMeta[] {
    return this.#contents(collection).incoming;
  }

  segment(collection: CollectionId, id: SegmentId): SegmentMeta | undefined {
    const contents = this.#contents(collection);
    const segment = contents.segmentById.get(id);
    return segment !== undefined && contents.orphans.includes(segment) ? undefined : segment;
  }

  channelsOf(collection: CollectionId): readonly ChannelMeta[] {
    return this.#contents(collection).channels;
  }

  channel(id: ChannelId): ChannelMeta | undefined {
    return this.#contents(collectionOfChannel(id)).channelById.get(id);
  }

  orphans(): Orphans {
    const segments: SegmentMeta[] = [];
    const channels: ChannelMeta[] = [];
    for (const [id, contents] of this.parts.contents) {
      segments.push(...contents.orphans);
      if (!this.parts.collections.has(id)) channels.push(...contents.channels);
    }
    return { segments, channels };
  }

  /** What a dropped collection leaves behind is not part of the model. */
  #contents(collection: CollectionId): CollectionContents {
    if (!this.parts.collections.has(collection)) return CollectionContents.empty;
    return this.parts.contents.get(collection) ?? CollectionContents.empty;
  }
}
