import { SeededRandom, type Random } from '../../src/host/index.ts';

export interface MixtureOptions {
  readonly rows: number;
  readonly queries: number;
  readonly dim: number;
  readonly seed: number;
  /** `raw` as drawn, `unit` of length 1, `varied` of lengths that vary by about a tenth. */
  readonly lengths: 'raw' | 'unit' | 'varied';
}

export interface Mixture {
  readonly vectors: Float32Array<ArrayBuffer>;
  /** Held out, from the same distribution. */
  readonly queries: Float32Array<ArrayBuffer>;
}

const CLUSTERS = 64;
const LATENT_MIN = 16;
const LATENT_MAX = 32;
/** Variances of latent numbers fall with their rank to this power. */
const VARIANCE_POWER = 0.25;
/** Sizes fall with the rank of a cluster to this power. */
const SIZE_POWER = 0.8;
/** Centres lie in a space of few dimensions too, so that clusters have near and far neighbours. */
const CENTRE_LATENT = 24;
const CENTRE_SPREAD = 0.8;
/** Share of a row's variance that follows no map. */
const NOISE_SHARE = 0.25;
const LENGTH_DEVIATION = 0.1;

/** A linear map of `latent` numbers into the space, transposed: `columns[j * dim + i]`. */
interface LinearMap {
  readonly latent: number;
  readonly columns: Float32Array;
}

/**
 * Vectors with the structure of embeddings: a mixture of clusters of power-law sizes, each a random linear map of 16 to 32
 * latent normal numbers of falling variance, around a centre, plus noise in all dimensions. So the
 * dimension that counts is low, neighbourhoods differ in density, and a query has near neighbours.
 */
export function createMixture(options: MixtureOptions): Mixture {
  const { rows, queries, dim } = options;
  const random = new SeededRandom(options.seed).fork('mixture');
  const clusters = Array.from({ length: CLUSTERS }, () =>
    linearMap(random, LATENT_MIN + random.below(LATENT_MAX - LATENT_MIN + 1), dim, 1),
  );
  const centreMap = linearMap(random, CENTRE_LATENT, dim, CENTRE_SPREAD);
  const centres = clusters.map(() => applied(centreMap, random, new Float32Array(dim)));
  const choose = powerLaw(CLUSTERS, SIZE_POWER);
  const noise = Math.sqrt((3 * NOISE_SHARE) / dim);
  const draw = (count: number): Float32Array<ArrayBuffer> => {
    const values = new Float32Array(count * dim);
    for (let row = 0; row < count; row++) {
      const cluster = choose(random.next());
      const own = values.subarray(row * dim, (row + 1) * dim);
      own.set(centres[cluster]!);
      applied(clusters[cluster]!, random, own);
      for (let i = 0; i < dim; i++) own[i]! += noise * (2 * random.next() - 1);
      if (options.lengths !== 'raw') scale(own, lengthOf(random, options.lengths));
    }
    return values;
  };
  return { vectors: draw(rows), queries: draw(queries) };
}

/** Columns of random directions, their variances falling with the rank, together `spread`². */
function linearMap(random: Random, latent: number, dim: number, spread: number): LinearMap {
  const columns = new Float32Array(latent * dim);
  let total = 0;
  for (let j = 0; j < latent; j++) total += (j + 1) ** -VARIANCE_POWER;
  for (let j = 0; j < latent; j++) {
    const weight = spread * Math.sqrt((j + 1) ** -VARIANCE_POWER / (total * dim));
    for (let i = 0; i < dim; i++) columns[j * dim + i] = weight * normal(random);
  }
  return { latent, columns };
}

/** Adds the map of fresh latent numbers to `out`. */
function applied(map: LinearMap, random: Random, out: Float32Array): Float32Array {
  const dim = out.length;
  for (let j = 0; j < map.latent; j++) {
    const value = normal(random);
    const start = j * dim;
    for (let i = 0; i < dim; i++) out[i]! += value * map.columns[start + i]!;
  }
  return out;
}

/** Cluster of a number in [0, 1). */
function powerLaw(count: number, power: number): (at: number) => number {
  const ends = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank++) ends[rank] = total += (rank + 1) ** -power;
  return (at) => {
    const found = ends.findIndex((end) => at * total < end);
    return found === -1 ? count - 1 : found;
  };
}

function lengthOf(random: Random, lengths: 'unit' | 'varied'): number {
  return lengths === 'unit' ? 1 : Math.exp(LENGTH_DEVIATION * normal(random));
}

function scale(values: Float32Array, length: number): void {
  let sum = 0;
  for (const value of values) sum += value * value;
  const factor = length / (Math.sqrt(sum) || 1);
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

/** Box and Muller's. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
