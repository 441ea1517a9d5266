import type { Random } from '../../src/host/index.ts';
import { encodeDocument } from '../../src/catalog/document.ts';
import { WRITER_LEASE_KEY, channelDocumentKey, segmentDocumentKey } from '../../src/catalog/keys.ts';
import { isVectorType } from '../../src/schema/index.ts';
import { CatalogModel, createCollection, createIndex, load } from '../../test/support/catalog-model.ts';
import { randomRows, schemaOf, schemaOfAllTypes } from '../../test/support/random-rows.ts';
import { segmentWorkshop } from '../../test/support/segment-workshop.ts';

/** A document of every kind, by key. */
export async function catalogDocuments(random: Random): Promise<ReadonlyMap<string, string>> {
  const model = new CatalogModel();
  const all = schemaOfAllTypes('VarChar', 2).fields;
  // Loading needs an index on each vector field: one metric is enough here.
  const schema = schemaOf(all.filter(({ type }) => type === 'FloatVector' || !isVectorType(type)));
  const documents = new Map<string, string>();
  const run = (command: Parameters<CatalogModel['run']>[0]): void => {
    for (const write of model.run(command)) if (write.kind === 'put') documents.set(write.key, write.value);
  };
  run({ kind: 'create-database', name: 'default', properties: { 'replica.number': '1' } });
  run(createCollection('c', { schema }));
  const { id, channels } = model.collection('c');
  for (const field of schema.fields) {
    if (field.type === 'FloatVector') run(createIndex(id, { fieldId: field.id, name: field.name }));
  }
  run(load(id));
  await using workshop = await segmentWorkshop();
  const rows = randomRows(random, schema, 3);
  const segment = await workshop.write(schema, rows, new BigUint64Array(3).fill(9n));
  documents.set(segmentDocumentKey(id, segment.id), encodeDocument(segment));
  const delta = {
    objectKey: 'delta/1/1.del',
    rowCount: 1,
    sizeBytes: 9,
    minTimestamp: '1',
    maxTimestamp: '2',
  };
  documents.set(
    channelDocumentKey(channels[0]!),
    encodeDocument({ id: channels[0], collectionId: id, checkpoint: 7, deltas: [delta] }),
  );
  const leader = { nodeId: 'writer-1', address: 'tcp://127.0.0.1:1', epoch: 3 };
  documents.set(WRITER_LEASE_KEY, encodeDocument(leader));
  return documents;
}
