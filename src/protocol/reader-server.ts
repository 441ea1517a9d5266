import { handlerOf, serveMethod, type ServedMethod } from './method.ts';
import type { ReaderApi } from './reader-api.ts';
import { READER_METHODS } from './reader-methods.ts';
import type { WireHandler } from '../wire/wire.ts';

/** What a node that holds several APIs puts into its one handler. The call's time, cancellation and trace go on to `api`. */
export function readerMethods(api: ReaderApi): readonly ServedMethod[] {
  return [
    serveMethod(READER_METHODS.search, (request, call) => api.search(request, call)),
    serveMethod(READER_METHODS.query, (request, call) => api.query(request, call)),
    serveMethod(READER_METHODS.loaded, (collection, call) => api.loaded(collection, call)),
    serveMethod(READER_METHODS.ping, (_nothing, call) => api.ping(call)),
  ];
}

export function serveReader(api: ReaderApi): WireHandler {
  return handlerOf(readerMethods(api));
}
