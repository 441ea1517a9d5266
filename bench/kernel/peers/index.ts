import type { Engine } from '../engine.ts';
import { runFaissHnsw, runFaissIvf } from './faiss.ts';
import { runHnswlibNode } from './hnswlib-node.ts';
import { runHnswlib } from './hnswlib.ts';
import { runUsearch } from './usearch.ts';
import { runZvec, runZvecInt8 } from './zvec.ts';

/** Engines to compare with, each brought here by its own file, none a dependency of the package. */
export const PEERS: Readonly<Record<string, Engine>> = {
  hnswlib: runHnswlib,
  'hnswlib-node': runHnswlibNode,
  usearch: runUsearch,
  'faiss-hnsw': runFaissHnsw,
  'faiss-ivf': runFaissIvf,
  zvec: runZvec,
  'zvec-int8': runZvecInt8,
};
