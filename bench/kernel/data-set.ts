import { loadEmbeddings } from '../../scripts/embeddings.ts';
import type { DenseMetric } from '../../src/schema/index.ts';
import { createMixture, type MixtureOptions } from './mixture.ts';

export interface DataSet {
  readonly name: string;
  readonly metric: DenseMetric;
  readonly dim: number;
  readonly vectors: Float32Array<ArrayBuffer>;
  /** Held out: none of them is among `vectors`. */
  readonly queries: Float32Array<ArrayBuffer>;
}

export interface DataSetOptions {
  /** Default: all of real data, of made data what its entry says. */
  readonly rows: number | undefined;
  readonly queries: number | undefined;
  readonly seed: number;
}

type Load = (options: DataSetOptions) => DataSet | Promise<DataSet>;

/** Real word embeddings, and mixtures as `mixture.ts` makes them with the dimensions and metrics of widely used embeddings. */
const DATA_SETS: Readonly<Record<string, Load>> = {
  glove: async ({ rows, queries = 1000, seed }) => {
    const { dim, vectors, queries: asked } = await loadEmbeddings({ seed, queries, ...(rows && { rows }) });
    return { name: 'glove', metric: 'IP', dim, vectors, queries: asked };
  },
  'l2-128': made('l2-128', 'L2', 128, 200_000, 'raw'),
  'cosine-768': made('cosine-768', 'COSINE', 768, 100_000, 'raw'),
  'ip-1536': made('ip-1536', 'IP', 1536, 50_000, 'varied'),
};

export const DATA_SET_NAMES = Object.keys(DATA_SETS);

export async function loadDataSet(name: string, options: DataSetOptions): Promise<DataSet> {
  const load = DATA_SETS[name];
  if (load === undefined) throw new RangeError(`no data set ${name}; known: ${DATA_SET_NAMES.join(', ')}`);
  return load(options);
}

function made(
  name: string,
  metric: DenseMetric,
  dim: number,
  rowsDefault: number,
  lengths: MixtureOptions['lengths'],
): Load {
  return ({ rows = rowsDefault, queries = 1000, seed }) => ({
    name,
    metric,
    dim,
    ...createMixture({ rows, queries, dim, seed, lengths }),
  });
}
