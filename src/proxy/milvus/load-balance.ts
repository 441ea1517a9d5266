import type { FrontServices, Handlers } from './handler.ts';
import { collectionOf, databaseOf } from './lookup.ts';
import { nodeNumber } from './replica-info.ts';
import { MishardsError } from '../../errors/index.ts';
import { SUCCESS } from '../translate/status.ts';

/**
 * Milvus moves segments from node to node by hand. Here a segment is where a function of segments and readers puts it, the same
 * on every node, so nothing can be moved and kept there. A request is checked as Milvus checks it; it succeeds when every
 * segment is where it is wanted, and says so when one is not.
 */
export function loadBalanceHandlers(services: FrontServices): Handlers<'LoadBalance'> {
  const { core } = services;
  return {
    LoadBalance(request, call) {
      const { srcNodeID: source, collectionName } = request;
      if (collectionName === '') {
        const { name } = databaseOf(core.catalog.snapshot(), request, call);
        throw new MishardsError(
          'COLLECTION_NOT_FOUND',
          `collection not found[database=${name}][collection=]`,
        );
      }
      const collection = collectionOf(services, request, call);
      if (collection.load === null) {
        throw new MishardsError(
          'COLLECTION_NOT_LOADED',
          `collection not loaded[collection=${collection.name}]`,
        );
      }
      const wanted = [...request.dstNodeIDs];
      if (wanted.includes(source)) {
        throw new MishardsError('PARAMETER_INVALID', `the source node ${source} is among the destinations`);
      }
      const readers = new Set(
        core
          .nodes()
          .filter(({ role }) => role === 'reader')
          .map(({ id }) => nodeNumber(id)),
      );
      for (const node of [source, ...wanted]) checkReader(node, readers);
      const { copies, items } = core.explainRoute(collection);
      const holders = new Map(
        items
          .filter(({ kind }) => kind === 'segment')
          .map(({ key, nodes }) => [key, nodes.slice(0, copies).map(nodeNumber)]),
      );
      const named = [...request.sealedSegmentIDs].map(String);
      const absent = named.find((id) => !holders.has(id));
      if (absent !== undefined) {
        throw new MishardsError(
          'SEGMENT_NOT_FOUND',
          `segment not found[segment=${absent}][collection=${collection.name}]`,
        );
      }
      for (const id of named.length > 0 ? named : holders.keys()) {
        checkPlace(id, holders.get(id)!, source, wanted);
      }
      return SUCCESS;
    },
  };
}

function checkReader(node: bigint, readers: ReadonlySet<bigint>): void {
  if (readers.has(node)) return;
  throw new MishardsError('PARAMETER_INVALID', `node not found[node=${node}], no reader has this number`);
}

function checkPlace(id: string, nodes: readonly bigint[], source: bigint, wanted: readonly bigint[]): void {
  const isThere = wanted.length === 0 || wanted.some((node) => nodes.includes(node));
  if (!nodes.includes(source) && isThere) return;
  throw new MishardsError(
    'NOT_SUPPORTED',
    `segment ${id} is placed by its name and the readers there are, moving it from node ${source} by hand is not supported; add readers or replicas, or change their weights`,
  );
}
