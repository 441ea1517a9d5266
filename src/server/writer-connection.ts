import type { WriterLeader } from '../catalog/model.ts';
import { WriterClient } from '../protocol/writer-client.ts';
import type { Wire } from '../wire/wire.ts';

/** The one connection to the active writer; asking for another leader's closes the one before. */
export class WriterConnection implements AsyncDisposable {
  readonly #wire: Wire;
  #current: { readonly address: string; readonly client: WriterClient } | null = null;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  to(leader: WriterLeader): WriterClient {
    if (this.#current?.address === leader.address) return this.#current.client;
    void this.#current?.client[Symbol.asyncDispose]();
    const client = new WriterClient(this.#wire.connect(leader.address));
    this.#current = { address: leader.address, client };
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.client[Symbol.asyncDispose]();
  }
}
