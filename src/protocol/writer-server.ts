import { handlerOf, serveMethod, type ServedMethod } from './method.ts';
import type { WriterApi } from './writer-api.ts';
import { WRITER_METHODS } from './writer-messages.ts';
import type { WireHandler } from '../wire/wire.ts';

/** What a node that holds several APIs puts into its one handler. */
export function writerMethods(api: WriterApi): readonly ServedMethod[] {
  return [
    serveMethod(WRITER_METHODS.execute, (command, call) => api.execute(command, call)),
    serveMethod(WRITER_METHODS.insert, (request, call) => api.insert(request, call)),
    serveMethod(WRITER_METHODS.upsert, (request, call) => api.upsert(request, call)),
    serveMethod(WRITER_METHODS.delete, (request, call) => api.delete(request, call)),
    serveMethod(WRITER_METHODS.flush, (collections, call) => api.flush(collections, call)),
    serveMethod(WRITER_METHODS.compact, (collection, call) => api.compact(collection, call)),
    serveMethod(WRITER_METHODS.compactionState, (id, call) => api.compactionState(id, call)),
    serveMethod(WRITER_METHODS.positions, (collection, call) => api.positions(collection, call)),
    serveMethod(WRITER_METHODS.freshRows, (collection, call) => api.freshRows(collection, call)),
    serveMethod(WRITER_METHODS.follow, (request, call) => api.follow(request, call)),
  ];
}

export function serveWriter(api: WriterApi): WireHandler {
  return handlerOf(writerMethods(api));
}
