import { levelNamed, wireLevelOf } from './data-types.ts';
import type { CollectionMeta, ConsistencyLevel } from '../../catalog/model.ts';

/** Properties by which clients alter what a collection was made with. They are shown as what they alter. */
export const LEVEL_PROPERTY = 'consistency_level';
export const DESCRIPTION_PROPERTY = 'collection.description';

/** What reads of the collection must see unless they say so themselves. */
export function defaultLevel({ consistencyLevel, properties }: CollectionMeta): ConsistencyLevel {
  const text = properties[LEVEL_PROPERTY];
  return text === undefined ? consistencyLevel : levelNamed(text);
}

/** The collection as it is described to clients. */
export function shownCollection(collection: CollectionMeta): {
  readonly schema: CollectionMeta['schema'];
  readonly consistencyLevel: number;
  readonly properties: CollectionMeta['properties'];
} {
  const { schema } = collection;
  const { [DESCRIPTION_PROPERTY]: description, [LEVEL_PROPERTY]: _, ...properties } = collection.properties;
  return {
    schema: description === undefined ? schema : { ...schema, description },
    consistencyLevel: wireLevelOf(defaultLevel(collection)),
    properties,
  };
}
