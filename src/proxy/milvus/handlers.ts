import { aliasHandlers } from './alias-handlers.ts';
import { collectionHandlers } from './collection-handlers.ts';
import { compactionHandlers } from './compaction-handlers.ts';
import { databaseHandlers } from './database-handlers.ts';
import { describeHandlers } from './describe-handlers.ts';
import { fieldHandlers } from './field-handlers.ts';
import { flushHandlers } from './flush-handlers.ts';
import type { FrontServices, Handlers, MethodName } from './handler.ts';
import { hybridSearchHandlers } from './hybrid-search-handler.ts';
import { indexHandlers } from './index-handlers.ts';
import { loadBalanceHandlers } from './load-balance.ts';
import { loadHandlers } from './load-handlers.ts';
import { metricsHandlers } from './metrics-handlers.ts';
import { partitionHandlers } from './partition-handlers.ts';
import { queryHandlers } from './query-handler.ts';
import { searchHandlers } from './search-handler.ts';
import { segmentHandlers } from './segment-handlers.ts';
import { serverHandlers } from './server-handlers.ts';
import { writeHandlers } from './write-handlers.ts';

/** Every RPC that is answered. `docs/reference/compatibility.md` lists them all, and a test holds the two together. */
export function milvusHandlers(services: FrontServices): Partial<Handlers<MethodName>> {
  return {
    ...serverHandlers(services),
    ...metricsHandlers(services),
    ...databaseHandlers(services),
    ...collectionHandlers(services),
    ...fieldHandlers(services),
    ...describeHandlers(services),
    ...aliasHandlers(services),
    ...partitionHandlers(services),
    ...indexHandlers(services),
    ...loadHandlers(services),
    ...loadBalanceHandlers(services),
    ...writeHandlers(services),
    ...flushHandlers(services),
    ...segmentHandlers(services),
    ...compactionHandlers(services),
    ...searchHandlers(services),
    ...hybridSearchHandlers(services),
    ...queryHandlers(services),
  };
}
