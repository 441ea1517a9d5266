import { SeededRandom, type Random } from '../../src/host/index.ts';
import type { SparseValues } from '../../src/kernel/index.ts';

export interface SparseData {
  readonly rows: SparseValues;
  readonly queries: SparseValues;
  /** Mean sum of a row. */
  readonly averageLength: number;
}

export interface SparseShape {
  readonly rowCount: number;
  readonly queryCount: number;
  readonly seed: number;
}

const TOPICS = 200;
const TOPIC_WORDS = 400;
/** Share of a row's words that come from its topic; the others from the whole vocabulary. */
const TOPIC_SHARE = 0.6;

/**
 * Rows as a learned sparse encoder (SPLADE) gives them: about 120 of 30 000 words a row and 40 a query, with weights between
 * 0 and 3 whose logarithm is normal. Words follow Zipf's law, over all and within 200 topics; queries are about topics too.
 */
export function learnedSparse({ rowCount, queryCount, seed }: SparseShape): SparseData {
  const random = new SeededRandom(seed);
  const words = new Words(30_000, random);
  const weight = (): number => Math.min(3, Math.exp(gaussian(random) * 0.6 - 0.7));
  return dataOf(
    Array.from({ length: rowCount }, () => words.draw(80 + random.below(80), weight)),
    Array.from({ length: queryCount }, () => words.draw(25 + random.below(30), weight)),
  );
}

/** Texts for BM25: 40 to 160 tokens of 60 000 words in a row, with how often each comes; queries of 3 to 8 words with their idf. */
export function termFrequencies({ rowCount, queryCount, seed }: SparseShape): SparseData {
  const random = new SeededRandom(seed);
  const words = new Words(60_000, random);
  const rows = Array.from({ length: rowCount }, () => words.draw(40 + random.below(120), () => 1));
  const documents = new Map<number, number>();
  for (const row of rows) for (const word of row.keys()) documents.set(word, (documents.get(word) ?? 0) + 1);
  const idf = (word: number): number => {
    const count = documents.get(word) ?? 0;
    return Math.log(1 + (rowCount - count + 0.5) / (count + 0.5));
  };
  const queries = Array.from({ length: queryCount }, () => {
    const asked = words.draw(3 + random.below(6), () => 1);
    return new Map(Array.from(asked.keys(), (word) => [word, idf(word)]));
  });
  return dataOf(rows, queries);
}

/** Draws words by Zipf's law; each topic has words of its own, ranked anew. */
class Words {
  readonly #random: Random;
  readonly #count: number;
  readonly #topics: readonly Uint32Array[];

  constructor(count: number, random: Random) {
    this.#count = count;
    this.#random = random;
    this.#topics = Array.from({ length: TOPICS }, () =>
      Uint32Array.from({ length: TOPIC_WORDS }, () => this.#zipf(count)),
    );
  }

  /** `tokens` words of one topic; a word that comes again adds to its weight. */
  draw(tokens: number, weight: () => number): Map<number, number> {
    const topic = this.#topics[this.#random.below(TOPICS)]!;
    const row = new Map<number, number>();
    for (let token = 0; token < tokens; token++) {
      const isOfTopic = this.#random.next() < TOPIC_SHARE;
      const word = isOfTopic ? topic[this.#zipf(TOPIC_WORDS)]! : this.#zipf(this.#count);
      row.set(word, (row.get(word) ?? 0) + weight());
    }
    return row;
  }

  /** A rank below `count`; rank r about as often as 1 / (r + 1). */
  #zipf(count: number): number {
    return Math.min(count - 1, Math.floor(Math.exp(this.#random.next() * Math.log(count + 1))) - 1);
  }
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function dataOf(
  rows: readonly ReadonlyMap<number, number>[],
  queries: readonly ReadonlyMap<number, number>[],
): SparseData {
  const packed = pack(rows);
  const total = packed.values.reduce((sum, value) => sum + value, 0);
  return { rows: packed, queries: pack(queries), averageLength: total / rows.length };
}

function pack(rows: readonly ReadonlyMap<number, number>[]): SparseValues {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, index) => (offsets[index + 1] = offsets[index]! + row.size));
  const indices = new Uint32Array(offsets[rows.length]!);
  const values = new Float32Array(indices.length);
  rows.forEach((row, index) => {
    let at = offsets[index]!;
    for (const [word, weight] of [...row].sort(([a], [b]) => a - b)) {
      indices[at] = word;
      values[at++] = weight;
    }
  });
  return { offsets, indices, values };
}
