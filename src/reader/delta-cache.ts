import { WeightedCache } from './weighted-cache.ts';
import type { DeltaMeta } from '../catalog/model.ts';
import type { DeleteBatch } from '../segment/segment.ts';

/** Delete objects in memory: every segment of a channel needs the same ones when it opens. Fetches each once at a time. */
export class DeltaCache {
  readonly #load: (delta: DeltaMeta) => Promise<DeleteBatch>;
  readonly #cache: WeightedCache<DeleteBatch>;
  readonly #loading = new Map<string, Promise<DeleteBatch>>();

  constructor(load: (delta: DeltaMeta) => Promise<DeleteBatch>, bytesMax: number) {
    this.#load = load;
    this.#cache = new WeightedCache(bytesMax);
  }

  async get(delta: DeltaMeta): Promise<DeleteBatch> {
    const cached = this.#cache.get(delta.objectKey);
    if (cached !== undefined) return cached;
    let loading = this.#loading.get(delta.objectKey);
    if (loading === undefined) {
      loading = this.#fetch(delta);
      this.#loading.set(delta.objectKey, loading);
    }
    return await loading;
  }

  async #fetch(delta: DeltaMeta): Promise<DeleteBatch> {
    try {
      const deletes = await this.#load(delta);
      this.#cache.set(delta.objectKey, deletes, delta.sizeBytes);
      return deletes;
    } finally {
      this.#loading.delete(delta.objectKey);
    }
  }
}
