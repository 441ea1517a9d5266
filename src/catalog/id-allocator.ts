import { NEXT_ID_KEY } from './keys.ts';
import { MishardsError } from '../errors/index.ts';
import type { Metastore } from '../metastore/metastore.ts';

const FIRST_ID = 1n;
const BLOCK_IDS_DEFAULT = 1_000;
const ATTEMPTS_MAX = 64;

/**
 * Gives ids that are unique in the cluster and increase within one allocator. Blocks of them are reserved in the metastore
 * by compare-and-swap, so any number of processes may allocate; what a stopped process had left of its block is never used.
 */
export class IdAllocator {
  readonly #metastore: Metastore;
  readonly #blockIds: number;
  #next = 0n;
  #end = 0n;
  #reservation: Promise<void> | null = null;

  constructor(metastore: Metastore, blockIds: number = BLOCK_IDS_DEFAULT) {
    this.#metastore = metastore;
    this.#blockIds = blockIds;
  }

  /** `count` ids as decimal strings, ascending; the caller brands them. Errors: `METASTORE_UNAVAILABLE`. */
  async take<Id extends string>(count: number): Promise<readonly Id[]> {
    const ids: Id[] = [];
    while (ids.length < count) {
      if (this.#next === this.#end) await this.#reserveOnce(count - ids.length);
      while (ids.length < count && this.#next < this.#end) ids.push(String(this.#next++) as Id);
    }
    return ids;
  }

  /** The ids given from now on are higher than all that any process has been given so far. */
  startAnew(): void {
    this.#next = this.#end;
  }

  async takeOne<Id extends string>(): Promise<Id> {
    const [id] = await this.take<Id>(1);
    return id!;
  }

  /** Callers that find the block used up share one reservation. */
  async #reserveOnce(wanted: number): Promise<void> {
    this.#reservation ??= this.#reserve(wanted).finally(() => {
      this.#reservation = null;
    });
    await this.#reservation;
  }

  async #reserve(wanted: number): Promise<void> {
    const size = BigInt(Math.max(this.#blockIds, wanted));
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const present = await this.#metastore.get(NEXT_ID_KEY);
      const first = present === null ? FIRST_ID : parseId(present.value);
      const { succeeded } = await this.#metastore.transact({
        compares: [{ kind: 'mod-revision', key: NEXT_ID_KEY, revision: present?.modRevision ?? 0 }],
        then: [{ kind: 'put', key: NEXT_ID_KEY, value: String(first + size) }],
      });
      if (!succeeded) continue;
      this.#next = first;
      this.#end = first + size;
      return;
    }
    throw new MishardsError(
      'METASTORE_UNAVAILABLE',
      `no block of ids could be reserved in ${ATTEMPTS_MAX} attempts; other processes were always faster`,
    );
  }
}

function parseId(text: string): bigint {
  if (!/^[1-9][0-9]*$/.test(text)) {
    throw new MishardsError('CORRUPT_DATA', `${NEXT_ID_KEY} is ${JSON.stringify(text)}, expected an id`);
  }
  return BigInt(text);
}
