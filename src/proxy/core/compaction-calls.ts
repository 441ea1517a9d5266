import type { WriterLink } from './writer-link.ts';
import type { ProxyCore } from '../proxy-core.ts';
import type { Catalog } from '../../catalog/catalog.ts';

/** Compaction is the writer's; this proxy shows what comes of it. */
export function compactionCalls(
  link: WriterLink,
  catalog: Catalog,
): Pick<ProxyCore, 'compact' | 'compactionState'> {
  return {
    compact: (collection, context) => link.call(context, (writer, call) => writer.compact(collection, call)),
    async compactionState(compactionId, context) {
      const state = await link.call(context, (writer, call) => writer.compactionState(compactionId, call));
      await catalog.waitFor((snapshot) => snapshot.revision >= state.revision, context.signal);
      return state;
    },
  };
}
