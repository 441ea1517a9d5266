/** Hits of one query, offset included, as in Milvus. */
export const SEARCH_WINDOW_MAX = 16_384;
