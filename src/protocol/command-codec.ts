import { readField, readSchema } from '../catalog/collection-document.ts';
import type { CatalogCommand } from '../catalog/commands.ts';
import { CONSISTENCY_LEVELS } from '../catalog/model.ts';
import { METRICS, type CollectionId, type IndexId, type PartitionId } from '../schema/index.ts';
import { unreachable } from '../util/assert.ts';
import { JsonFields } from '../util/json-fields.ts';
import type { JsonValue } from '../util/packet.ts';

const KINDS = [
  'create-database',
  'drop-database',
  'alter-database',
  'create-collection',
  'drop-collection',
  'rename-collection',
  'alter-collection',
  'alter-field',
  'add-field',
  'truncate-collection',
  'create-alias',
  'alter-alias',
  'drop-alias',
  'create-partition',
  'drop-partition',
  'create-index',
  'alter-index',
  'drop-index',
  'load',
  'release',
] as const satisfies readonly CatalogCommand['kind'][];

/** Commands are JSON as they are. */
export function packCommand(command: CatalogCommand): JsonValue {
  return command as unknown as JsonValue;
}

export function unpackCommand(value: JsonValue | undefined): CatalogCommand {
  const fields = new JsonFields('command', value);
  const kind = fields.oneOf('kind', KINDS);
  const name = (): string => fields.text('name');
  const databaseName = (): string => fields.text('databaseName');
  const changes = () => ({ set: fields.properties('set'), remove: fields.texts('remove') });
  switch (kind) {
    case 'create-database':
      return { kind, name: name(), properties: fields.properties('properties') };
    case 'drop-database':
      return { kind, name: name() };
    case 'alter-database':
      return { kind, name: name(), ...changes() };
    case 'drop-alias':
      return { kind, databaseName: databaseName(), alias: fields.text('alias') };
    case 'create-collection':
      return {
        kind,
        databaseName: databaseName(),
        name: name(),
        schema: fields.object('schema', readSchema),
        shardsNum: fields.count('shardsNum'),
        consistencyLevel: fields.oneOf('consistencyLevel', CONSISTENCY_LEVELS),
        properties: fields.properties('properties'),
        partitionCount: fields.count('partitionCount'),
      };
    default:
      return ofCollection(kind, fields, changes);
  }
}

type CollectionCommandKind = Extract<CatalogCommand, { readonly collectionId: CollectionId }>['kind'];

/** Commands that name an existing collection. */
function ofCollection(
  kind: CollectionCommandKind,
  fields: JsonFields,
  changes: () => { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] },
): CatalogCommand {
  const collectionId = fields.decimal<CollectionId>('collectionId');
  const partitionIds = (): readonly PartitionId[] | null =>
    fields.nullable('partitionIds', (name) => fields.texts<PartitionId>(name));
  switch (kind) {
    case 'drop-collection':
    case 'truncate-collection':
      return { kind, collectionId };
    case 'alter-field':
      return {
        kind,
        collectionId,
        fieldId: fields.count('fieldId'),
        maxLength: fields.nullable('maxLength', (name) => fields.count(name)),
        maxCapacity: fields.nullable('maxCapacity', (name) => fields.count(name)),
        ...changes(),
      };
    case 'add-field':
      return { kind, collectionId, field: fields.object('field', readField) };
    case 'rename-collection':
      return { kind, collectionId, databaseName: fields.text('databaseName'), name: fields.text('name') };
    case 'alter-collection':
      return { kind, collectionId, ...changes() };
    case 'create-alias':
    case 'alter-alias':
      return { kind, collectionId, alias: fields.text('alias') };
    case 'create-partition':
    case 'drop-partition':
      return { kind, collectionId, name: fields.text('name') };
    case 'create-index':
      return {
        kind,
        collectionId,
        name: fields.text('name'),
        fieldId: fields.count('fieldId'),
        requestedType: fields.text('requestedType'),
        type: fields.text('type'),
        metric: fields.nullable('metric', (name) => fields.oneOf(name, METRICS)),
        params: fields.properties('params'),
      };
    case 'alter-index':
      return { kind, collectionId, indexId: fields.decimal<IndexId>('indexId'), ...changes() };
    case 'drop-index':
      return { kind, collectionId, indexId: fields.decimal<IndexId>('indexId') };
    case 'load':
      return {
        kind,
        collectionId,
        replicas: fields.count('replicas'),
        partitionIds: partitionIds(),
        fieldIds: fields.nullable('fieldIds', (name) => fields.counts(name)),
      };
    case 'release':
      return { kind, collectionId, partitionIds: partitionIds() };
    default:
      return unreachable(kind);
  }
}
