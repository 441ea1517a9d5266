/** What `ReaderApi`'s calls are named on the wire. */
export const READER_METHODS = {
  search: 'reader.search',
  query: 'reader.query',
  loaded: 'reader.loaded',
  ping: 'reader.ping',
} as const;
