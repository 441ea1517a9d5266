import { createNodeHost } from '../../src/host/node/index.ts';

/** Seed of a random test: `MISHARDS_TEST_SEED` repeats a run, else a new one. Tests print it. */
export const testSeed: number = Number(process.env['MISHARDS_TEST_SEED'] ?? createNodeHost().random.seed);
