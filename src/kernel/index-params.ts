import { readIntegers, type Parameters } from './parameters.ts';

const HNSW = {
  degree: { name: 'M', min: 2, max: 2048, fallback: 30 },
  efConstruction: { name: 'efConstruction', min: 1, max: 2 ** 31 - 1, fallback: 360 },
} as const;

/** Milvus's names, ranges and defaults. Errors: `INDEX_INVALID`. */
export function readHnswParams(params: Parameters): {
  readonly degree: number;
  readonly efConstruction: number;
} {
  return readIntegers(params, HNSW, 'INDEX_INVALID');
}
