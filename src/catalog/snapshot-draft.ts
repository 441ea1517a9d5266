import { readCollection, readDatabase, readName, readWriterLeader } from './collection-document.ts';
import { CollectionContents } from './collection-contents.ts';
import { decodeDocument } from './document.ts';
import { WRITER_LEASE_KEY, parseCatalogKey } from './keys.ts';
import { readChannel, readSegment } from './segment-document.ts';
import { Snapshot, nameOf, type SnapshotParts } from './snapshot.ts';
import type { ChannelMeta, CollectionMeta, DatabaseMeta, SegmentMeta, WriterLeader } from './model.ts';
import type { ChannelId, CollectionId, SegmentId } from '../schema/index.ts';

/** Maps of one collection while they change. */
interface OpenContents {
  channels: Map<ChannelId, ChannelMeta> | undefined;
  segments: Map<SegmentId, SegmentMeta> | undefined;
}

/** Applies changes of keys to a snapshot and gives the next one. What no change touches is shared. Used once. */
export class SnapshotDraft {
  readonly #base: SnapshotParts;
  readonly #databases: CopyOnWrite<string, DatabaseMeta>;
  readonly #collections: CopyOnWrite<CollectionId, CollectionMeta>;
  readonly #names: CopyOnWrite<string, CollectionId>;
  #writer: WriterLeader | null;
  readonly #open = new Map<CollectionId, OpenContents>();

  constructor(base: Snapshot) {
    this.#base = base.parts;
    this.#databases = new CopyOnWrite(base.parts.databases);
    this.#collections = new CopyOnWrite(base.parts.collections);
    this.#names = new CopyOnWrite(base.parts.names);
    this.#writer = base.parts.writer;
  }

  /** `value` null = the key is gone. Keys that say nothing about the model are passed over. */
  apply(key: string, value: string | null): void {
    if (key === WRITER_LEASE_KEY) {
      this.#writer = value === null ? null : decodeDocument(key, value, readWriterLeader);
      return;
    }
    const parsed = parseCatalogKey(key);
    if (parsed === null) return;
    if (parsed.kind === 'database') {
      this.#databases.change(parsed.name, value === null ? null : decodeDocument(key, value, readDatabase));
    } else if (parsed.kind === 'name') {
      const name = nameOf(parsed.databaseName, parsed.name);
      this.#names.change(name, value === null ? null : decodeDocument(key, value, readName));
    } else if (parsed.kind === 'collection') {
      this.#collections.change(parsed.id, value === null ? null : decodeDocument(key, value, readCollection));
      this.#openSegments(parsed.id);
    } else if (parsed.kind === 'channel') {
      const channel = value === null ? null : decodeDocument(key, value, readChannel);
      change(this.#openChannels(parsed.collectionId), parsed.id, channel);
    } else {
      const segment = value === null ? null : decodeDocument(key, value, readSegment);
      change(this.#openSegments(parsed.collectionId), parsed.id, segment);
    }
  }

  build(revision: number): Snapshot {
    const contents = new CopyOnWrite(this.#base.contents);
    for (const [id, open] of this.#open) {
      let next = this.#base.contents.get(id) ?? CollectionContents.empty;
      if (open.channels !== undefined) next = next.withChannels(open.channels);
      if (open.segments !== undefined) {
        next = next.withSegments(open.segments, this.#collections.current.get(id));
      }
      const isEmpty = next.channels.length === 0 && next.segmentById.size === 0;
      contents.change(id, isEmpty ? null : next);
    }
    return new Snapshot({
      revision,
      databases: this.#databases.current,
      collections: this.#collections.current,
      names: this.#names.current,
      contents: contents.current,
      writer: this.#writer,
    });
  }

  #openChannels(id: CollectionId): Map<ChannelId, ChannelMeta> {
    const open = this.#openContents(id);
    return (open.channels ??= new Map(this.#base.contents.get(id)?.channelById));
  }

  #openSegments(id: CollectionId): Map<SegmentId, SegmentMeta> {
    const open = this.#openContents(id);
    return (open.segments ??= new Map(this.#base.contents.get(id)?.segmentById));
  }

  #openContents(id: CollectionId): OpenContents {
    let open = this.#open.get(id);
    if (open === undefined) {
      open = { channels: undefined, segments: undefined };
      this.#open.set(id, open);
    }
    return open;
  }
}

class CopyOnWrite<Key, Value> {
  #map: ReadonlyMap<Key, Value>;
  #copy: Map<Key, Value> | undefined;

  constructor(map: ReadonlyMap<Key, Value>) {
    this.#map = map;
  }

  get current(): ReadonlyMap<Key, Value> {
    return this.#copy ?? this.#map;
  }

  change(key: Key, value: Value | null): void {
    if (value === null && !this.current.has(key)) return;
    this.#copy ??= new Map(this.#map);
    change(this.#copy, key, value);
  }
}

function change<Key, Value>(map: Map<Key, Value>, key: Key, value: Value | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
