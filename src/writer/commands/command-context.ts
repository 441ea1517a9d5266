import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import { encodeDocument } from '../../catalog/document.ts';
import { collectionDocumentKey } from '../../catalog/keys.ts';
import type { CollectionMeta } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Write } from '../../metastore/metastore.ts';
import type { CollectionId, PartitionId } from '../../schema/index.ts';

/** What a command is planned from. Planning is a pure function of it. */
export interface CommandContext {
  /** Shows every earlier change of the catalog. */
  readonly snapshot: CatalogSnapshot;
  readonly limits: CatalogLimits;
  /** When the command is carried out. */
  readonly timestamp: string;
  /** A new id; `idsNeeded` says how many a command may take. */
  readonly takeId: <Id extends string>() => Id;
}

/** Milvus's limits of the same meaning. */
export interface CatalogLimits {
  readonly databasesMax: number;
  readonly collectionsMax: number;
  readonly partitionsMax: number;
}

export const DEFAULT_CATALOG_LIMITS: CatalogLimits = Object.freeze({
  databasesMax: 64,
  collectionsMax: 65_536,
  partitionsMax: 1_024,
});

/** Writes that carry a command out in one transaction; none when the catalog is as wanted already. */
export type CommandPlan = readonly Write[];

export const NOTHING_TO_DO: CommandPlan = [];

export function put(key: string, document: object): Write {
  return { kind: 'put', key, value: encodeDocument(document) };
}

export function putCollection(meta: CollectionMeta): Write {
  return put(collectionDocumentKey(meta.id), meta);
}

export function requireCollection(snapshot: CatalogSnapshot, id: CollectionId): CollectionMeta {
  const meta = snapshot.collections.get(id);
  if (meta === undefined) {
    throw new MishardsError('COLLECTION_NOT_FOUND', `collection not found[collection=${id}]`);
  }
  return meta;
}

export function requireDatabase(snapshot: CatalogSnapshot, name: string): void {
  if (!snapshot.databases.has(name)) {
    throw new MishardsError('DATABASE_NOT_FOUND', `database not found[database=${name}]`);
  }
}

type Properties = Readonly<Record<string, string>>;

/** The properties after a change; the same object when it changes nothing. */
export function changeProperties(
  present: Properties,
  change: { readonly set: Properties; readonly remove: readonly string[] },
): Properties {
  const isSame =
    Object.entries(change.set).every(([key, value]) => present[key] === value) &&
    change.remove.every((key) => !Object.hasOwn(present, key));
  if (isSame) return present;
  const merged = Object.entries({ ...present, ...change.set });
  return Object.fromEntries(merged.filter(([key]) => !change.remove.includes(key)));
}

export function newestOf(ids: readonly PartitionId[]): PartitionId {
  return ids.reduce((newest, id) => (Number(id) > Number(newest) ? id : newest));
}

/** A list as Milvus's messages show it. */
export const listed = (items: readonly string[]): string => `[${items.join(' ')}]`;
