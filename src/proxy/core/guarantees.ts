import type { RequestContext, ReadCommand } from '../proxy-core.ts';
import type { WriterLink } from './writer-link.ts';
import { isErrorWithCode } from '../../errors/index.ts';
import type { Guarantee } from '../../protocol/reader-api.ts';
import type { MutationResult, Positions } from '../../protocol/writer-api.ts';
import type { ChannelId, CollectionId, LogSequence, Timestamp } from '../../schema/index.ts';

/** What a client's consistency level demands of the readers. Remembers what went through this proxy, for Session and read-your-writes. */
export class Guarantees {
  readonly #link: WriterLink;
  readonly #boundedStalenessMs: number;
  readonly #own = new Map<CollectionId, OwnWrites>();

  constructor(link: WriterLink, boundedStalenessMs: number) {
    this.#link = link;
    this.#boundedStalenessMs = boundedStalenessMs;
  }

  remember(collection: CollectionId, result: MutationResult): void {
    const before = this.#own.get(collection);
    const positions = new Map<ChannelId, LogSequence>(before?.positions);
    for (const [channel, sequence] of result.positions) {
      positions.set(channel, Math.max(sequence, positions.get(channel) ?? 0));
    }
    const timestamp =
      before !== undefined && before.timestamp > result.timestamp ? before.timestamp : result.timestamp;
    this.#own.set(collection, { positions, timestamp });
  }

  forget(keeps: (collection: CollectionId) => boolean): void {
    for (const collection of this.#own.keys()) if (!keeps(collection)) this.#own.delete(collection);
  }

  async of(command: ReadCommand, context: RequestContext): Promise<Guarantee> {
    const own = this.#own.get(command.collection.id);
    if (command.guaranteeTimestamp > (own?.timestamp ?? 0n)) return await this.#strong(command, context);
    switch (command.consistency) {
      case 'Strong':
        return await this.#strong(command, context);
      case 'Session':
        return own === undefined ? { kind: 'none' } : { kind: 'positions', positions: own.positions };
      case 'Bounded':
        return { kind: 'staleness', maxMs: this.#boundedStalenessMs };
      case 'Eventually':
        return { kind: 'none' };
    }
  }

  /**
   * Everything acknowledged is durable in the log, so when the writer is away, or has no disk to open its channels on, its end
   * answers as well.
   */
  async #strong(command: ReadCommand, context: RequestContext): Promise<Guarantee> {
    try {
      const positions: Positions = await this.#link.callIfPresent(context, (writer, options) =>
        writer.positions(command.collection.id, options),
      );
      return { kind: 'positions', positions };
    } catch (error) {
      if (
        isErrorWithCode(
          error,
          'NO_WRITER',
          'NOT_LEADER',
          'FENCED',
          'CONNECTION_LOST',
          'UNREACHABLE',
          'SERVICE_NOT_READY',
          'STORAGE_UNAVAILABLE',
        )
      ) {
        return { kind: 'log-end' };
      }
      throw error;
    }
  }
}

interface OwnWrites {
  readonly positions: Positions;
  readonly timestamp: Timestamp;
}
