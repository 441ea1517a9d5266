import { asHead, asText } from './codecs.ts';
import { unpackQueryRequest, unpackSearchRequest } from './read-request-codec.ts';
import { packLoadedReport, packNodeStatus, packQueryResult, packSearchResult } from './read-result-codec.ts';
import type { ReaderApi } from './reader-api.ts';
import { READER_METHODS } from './reader-methods.ts';
import { MishardsError } from '../errors/index.ts';
import type { CollectionId } from '../schema/index.ts';
import type { WireHandler } from '../wire/wire.ts';

/** Answers `ReaderClient`s. The call's time, cancellation and trace go on to `api`. */
export function serveReader(api: ReaderApi): WireHandler {
  return async (method, request, context) => {
    switch (method) {
      case READER_METHODS.search:
        return packSearchResult(await api.search(unpackSearchRequest(request), context));
      case READER_METHODS.query:
        return packQueryResult(await api.query(unpackQueryRequest(request), context));
      case READER_METHODS.loaded: {
        const head = asHead(request.head, 'a question for what is loaded');
        const collection = asText(head['collectionId'], 'a collection id') as CollectionId;
        return packLoadedReport(await api.loaded(collection, context));
      }
      case READER_METHODS.ping:
        return packNodeStatus(await api.ping(context));
      default:
        throw new MishardsError('NOT_SUPPORTED', `a reader has no call "${method}"`);
    }
  };
}
