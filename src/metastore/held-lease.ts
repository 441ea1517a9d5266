import { isErrorWithCode } from '../errors/index.ts';
import type { Lease } from './metastore.ts';

export interface LeaseCalls {
  renew(leaseId: string, ttlMs: number): Promise<void>;
  revoke(leaseId: string): Promise<void>;
}

/** A lease whose state is all in the store. */
export class HeldLease implements Lease {
  readonly id: string;
  readonly ttlMs: number;
  readonly #calls: LeaseCalls;

  constructor(id: string, ttlMs: number, calls: LeaseCalls) {
    this.id = id;
    this.ttlMs = ttlMs;
    this.#calls = calls;
  }

  async renew(): Promise<void> {
    await this.#calls.renew(this.id, this.ttlMs);
  }

  async revoke(): Promise<void> {
    await this.#calls.revoke(this.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.revoke();
    } catch (error) {
      // The lease expires by itself when the store is away.
      if (!isErrorWithCode(error, 'METASTORE_UNAVAILABLE')) throw error;
    }
  }
}
