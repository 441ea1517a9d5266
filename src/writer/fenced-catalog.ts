import type { WriterLease } from './writer-lease.ts';
import type { Catalog, CatalogSnapshot } from '../catalog/catalog.ts';
import { decodeDocument, encodeDocument } from '../catalog/document.ts';
import { COMMIT_KEY, WRITER_LEASE_KEY } from '../catalog/keys.ts';
import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { Timers } from '../host/index.ts';
import type { Metastore, Transaction, Write } from '../metastore/metastore.ts';

const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 1_000;

/** What a change writes; nothing when there is nothing to change. */
export type ChangePlan = readonly Write[];

/**
 * The only way the active writer changes the catalog. Each transaction compares the lease's document, so a writer that has
 * lost the lease changes nothing, and continues a chain: it compares and replaces `catalog/commit`. By that chain a
 * transaction whose answer was lost is found to have happened or not, and never happens twice.
 */
export class FencedCatalog {
  readonly #metastore: Metastore;
  readonly #catalog: Catalog;
  readonly #lease: WriterLease;
  readonly #timers: Timers;
  /** The last link of the chain: its number and the revision that put it. */
  #number = 0;
  #revision: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: {
    readonly metastore: Metastore;
    readonly catalog: Catalog;
    readonly lease: WriterLease;
    readonly timers: Timers;
  }) {
    this.#metastore = options.metastore;
    this.#catalog = options.catalog;
    this.#lease = options.lease;
    this.#timers = options.timers;
    this.#revision = options.lease.revision;
  }

  /** A snapshot that shows every change of this writer and of those before it. */
  async current(): Promise<CatalogSnapshot> {
    return await this.#catalog.waitFor((snapshot) => snapshot.revision >= this.#revision, this.#lease.ended);
  }

  /**
   * Plans on the newest snapshot and writes the plan in one transaction; changes wait for each other. Resolves with the
   * revision that shows it. What `plan` throws is thrown and nothing written. `FENCED`, `NOT_LEADER`. When the caller stops
   * waiting the change still happens or fails as a whole.
   */
  async change(plan: (snapshot: CatalogSnapshot) => ChangePlan): Promise<number> {
    const done = this.#turn.then(async () => {
      this.#lease.checkHeld();
      const snapshot = await this.current();
      const writes = plan(snapshot);
      return writes.length === 0 ? snapshot.revision : await this.#commit(writes);
    });
    this.#turn = done.catch(() => undefined);
    return await done;
  }

  async #commit(writes: ChangePlan): Promise<number> {
    const link = encodeDocument({ epoch: this.#lease.epoch, number: this.#number + 1 });
    const transaction: Transaction = {
      compares: [
        { kind: 'mod-revision', key: WRITER_LEASE_KEY, revision: this.#lease.revision },
        { kind: 'mod-revision', key: COMMIT_KEY, revision: this.#revision },
      ],
      then: [...writes, { kind: 'put', key: COMMIT_KEY, value: link }],
    };
    const revision = await this.#settle(transaction);
    this.#number++;
    this.#revision = revision;
    return revision;
  }

  /** Until it is certain that the transaction has happened, or that it never will because the lease is gone. */
  async #settle(transaction: Transaction): Promise<number> {
    let isUncertain = false;
    for (let delayMs = RETRY_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
      try {
        const { succeeded, revision } = await this.#metastore.transact(transaction);
        if (succeeded) return revision;
        return await this.#explainRefusal(isUncertain);
      } catch (error) {
        if (!isErrorWithCode(error, 'METASTORE_UNAVAILABLE')) throw error;
        isUncertain = true;
      }
      await this.#timers.sleep(delayMs, this.#lease.ended).catch((cause: unknown) => {
        throw unknownOutcome(cause);
      });
    }
  }

  /** A refused transaction has either happened before, its answer lost, or was fenced. */
  async #explainRefusal(isUncertain: boolean): Promise<number> {
    const last = await this.#metastore.get(COMMIT_KEY);
    const link =
      last === null
        ? null
        : decodeDocument(last.key, last.value, (fields) => ({
            epoch: fields.count('epoch'),
            number: fields.count('number'),
          }));
    const isOurs = link?.epoch === this.#lease.epoch && link.number === this.#number + 1;
    if (isUncertain && isOurs) return last!.modRevision;
    const reason = new MishardsError('FENCED', `epoch ${this.#lease.epoch} of the writer has ended`);
    this.#lease.lose(reason);
    // The next writer's chain hides whether the last link of this one had been put.
    throw isUncertain ? unknownOutcome(reason) : reason;
  }
}

function unknownOutcome(cause: unknown): MishardsError {
  return new MishardsError(
    'CONNECTION_LOST',
    'the writer lost its lease while it changed the catalog; the change may or may not have happened',
    { cause },
  );
}
