import type { ServedCollection } from './served-collection.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import { countOnes } from '../columns/index.ts';
import type { LoadedReport } from '../protocol/reader-api.ts';
import type { FreshBlock } from '../segment/segment.ts';

/** What a reader holds ready of a collection; nothing of one it does not serve. */
export function loadedReport(
  collection: ServedCollection | undefined,
  snapshot: CatalogSnapshot,
): LoadedReport {
  if (collection === undefined) {
    return { segmentIds: [], indexedSegmentIds: [], freshRowCount: 0, memoryBytes: 0 };
  }
  const slots = [...collection.shelf.slots()].filter((slot) => slot.goneSinceMs === null);
  const indexed = slots.filter(({ meta, segment }) =>
    meta.indexes.every((file) => segment.openIndexes.has(file.indexId)),
  );
  let freshRowCount = 0;
  for (const { id, fresh, isBroken } of collection.channels.values()) {
    if (isBroken) continue;
    const checkpoint = snapshot.channel(id)?.checkpoint ?? 0;
    for (const block of fresh.blocksAfter(Math.max(checkpoint, fresh.droppedThrough), null)) {
      freshRowCount += visibleCount(block);
    }
  }
  return {
    segmentIds: slots.map((slot) => slot.id),
    indexedSegmentIds: indexed.map((slot) => slot.id),
    freshRowCount,
    memoryBytes: collection.memoryBytes,
  };
}

function visibleCount(block: FreshBlock): number {
  const visible = block.visible();
  return visible === null ? block.rowCount : countOnes(visible);
}
