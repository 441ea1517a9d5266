import { channelNumber } from './keys.ts';
import type { ChannelMeta, CollectionMeta, SegmentMeta } from './model.ts';
import type { ChannelId, SegmentId } from '../schema/index.ts';

/** Channels and segments kept under one collection id. Immutable; shared by all snapshots until one of them changes. */
export class CollectionContents {
  static readonly empty = new CollectionContents(new Map(), new Map(), [], [], [], []);

  readonly channelById: ReadonlyMap<ChannelId, ChannelMeta>;
  readonly segmentById: ReadonlyMap<SegmentId, SegmentMeta>;
  /** By number ascending. */
  readonly channels: readonly ChannelMeta[];
  /** Segments of partitions that exist, by id ascending. */
  readonly visible: readonly SegmentMeta[];
  /** Of partitions that exist, too: they are not read before they have replaced others. */
  readonly incoming: readonly SegmentMeta[];
  /** Segments whose partition was dropped and whose objects are still to be removed. */
  readonly orphans: readonly SegmentMeta[];

  private constructor(
    channelById: ReadonlyMap<ChannelId, ChannelMeta>,
    segmentById: ReadonlyMap<SegmentId, SegmentMeta>,
    channels: readonly ChannelMeta[],
    visible: readonly SegmentMeta[],
    incoming: readonly SegmentMeta[],
    orphans: readonly SegmentMeta[],
  ) {
    this.channelById = channelById;
    this.segmentById = segmentById;
    this.channels = channels;
    this.visible = visible;
    this.incoming = incoming;
    this.orphans = orphans;
  }

  withChannels(channelById: ReadonlyMap<ChannelId, ChannelMeta>): CollectionContents {
    const channels = [...channelById.values()].sort((a, b) => channelNumber(a.id) - channelNumber(b.id));
    const { segmentById, visible, incoming, orphans } = this;
    return new CollectionContents(channelById, segmentById, channels, visible, incoming, orphans);
  }

  /** Divides the segments by whether `collection` (undefined = dropped) still has their partition. Arrays that stay equal stay the same. */
  withSegments(
    segmentById: ReadonlyMap<SegmentId, SegmentMeta>,
    collection: CollectionMeta | undefined,
  ): CollectionContents {
    const partitions = new Set(collection?.partitions.map((partition) => partition.id));
    const sorted = [...segmentById.values()].sort((a, b) => compareIds(a.id, b.id));
    const present = sorted.filter((segment) => partitions.has(segment.partitionId));
    const visible = present.filter((segment) => segment.replaces.length === 0);
    const incoming = present.filter((segment) => segment.replaces.length > 0);
    const orphans = sorted.filter((segment) => !partitions.has(segment.partitionId));
    return new CollectionContents(
      this.channelById,
      segmentById,
      this.channels,
      sameItems(visible, this.visible) ? this.visible : visible,
      sameItems(incoming, this.incoming) ? this.incoming : incoming,
      sameItems(orphans, this.orphans) ? this.orphans : orphans,
    );
  }
}

/** Order of ids as numbers, without parsing them. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
