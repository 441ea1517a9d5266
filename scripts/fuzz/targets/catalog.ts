import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes, mutateJson, pick } from '../mutate.ts';
import { SnapshotDraft } from '../../../src/catalog/snapshot-draft.ts';
import { EMPTY_PARTS, Snapshot } from '../../../src/catalog/snapshot.ts';
import type { JsonValue } from '../../../src/util/packet.ts';
import { catalogDocuments } from '../catalog-seeds.ts';

/** Documents of the metastore, each under its key and under those of others. The key stands in the first line. */
export const catalogTarget: FuzzTarget = {
  seeds: async (random) =>
    [...(await catalogDocuments(random))].map(([key, value]) => Buffer.from(`${key}\n${value}`)),
  mutate(random, seeds) {
    if (random.below(4) === 0) return mutateBytes(random, seeds);
    const [key, value] = partsOf(pick(random, seeds));
    const [otherKey, other] = partsOf(pick(random, seeds));
    const values = [value, other].map((text) => JSON.parse(text) as JsonValue);
    const changed = JSON.stringify(mutateJson(random, values[0]!, values));
    return Buffer.from(`${random.below(10) === 0 ? otherKey : key}\n${changed}`);
  },
  run(input) {
    const [key, value] = partsOf(input);
    const draft = new SnapshotDraft(new Snapshot(EMPTY_PARTS));
    draft.apply(key, value);
    const snapshot = draft.build(1);
    for (const { id } of snapshot.collections.values()) snapshot.segmentsOf(id);
  },
};

function partsOf(input: Uint8Array): [key: string, value: string] {
  const text = Buffer.from(input).toString();
  const end = text.indexOf('\n');
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
}
