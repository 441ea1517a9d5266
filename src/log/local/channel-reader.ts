import { MishardsError } from '../../errors/index.ts';
import { fileErrorCode, type FileSystem } from '../../host/index.ts';
import type { ChannelId, Epoch, LogSequence } from '../../schema/index.ts';
import type { LogEntry } from '../log.ts';
import { logTruncated } from '../log-rules.ts';
import { isSameView, viewChannel, type ChannelView, type LogPart } from './channel-view.ts';
import { entryBytes } from './entry-format.ts';
import { FILE_HEADER_BYTES, type FileHeader } from './file-header.ts';
import { PartIndex } from './part-index.ts';
import { readPart } from './read-part.ts';
import { corrupt, isEpochLive, sealEpochsBelow } from './seal-epoch.ts';

/** A read starts over when the files changed under it: at a change of writer or a truncation, hence rarely. */
const ATTEMPTS_MAX = 16;

type ReadResult = readonly LogEntry[] | 'changed';

/** Reads one channel. Remembers its files and where in them recent reads ended. */
export class ChannelReader {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #channel: ChannelId;
  #view: ChannelView | undefined;
  #indexes = new Map<string, PartIndex>();

  constructor(files: FileSystem, directory: string, channel: ChannelId) {
    this.#files = files;
    this.#directory = directory;
    this.#channel = channel;
  }

  async read(from: LogSequence, bytesMax: number): Promise<readonly LogEntry[]> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const view = this.#view ?? (await this.#refresh());
      const result = await this.#readView(view, from, bytesMax);
      if (result !== 'changed') return result;
    }
    throw new MishardsError(
      'STORAGE_UNAVAILABLE',
      `the files of the channel ${this.#channel} changed ${ATTEMPTS_MAX} times while being read; read again`,
    );
  }

  async #readView(view: ChannelView, from: LogSequence, bytesMax: number): Promise<ReadResult> {
    try {
      const entries = await this.#readParts(view, from, bytesMax);
      return entries === 'changed' || entries.length > 0 ? entries : await this.#atEnd(view, from);
    } catch (error) {
      // A file that is missing or seems damaged may only have been replaced since it was listed.
      const mayBeStale =
        fileErrorCode(error) === 'ENOENT' ||
        (error instanceof MishardsError && ['CORRUPT_DATA', 'LOG_TRUNCATED'].includes(error.code));
      if (mayBeStale && !isSameView(await this.#refresh(), view)) return 'changed';
      throw error;
    }
  }

  async #readParts(view: ChannelView, from: LogSequence, bytesMax: number): Promise<ReadResult> {
    const { parts } = view;
    const begin = parts[0]?.firstSequence ?? view.files.floor.firstSequence;
    if (from < begin) throw logTruncated(this.#channel, from, begin);
    const start = parts.findLastIndex((part) => part.firstSequence <= from);
    const entries: LogEntry[] = [];
    let bytesLeft = bytesMax;
    for (const part of parts.slice(Math.max(0, start))) {
      const next = from + entries.length;
      if (part.endSequence !== undefined && next >= part.endSequence) continue;
      if (part.firstSequence > next) throw corrupt(part.path, `the entry ${next} before it is missing`);
      const read = await readPart(this.#files, part, this.#indexOf(part), next, bytesLeft);
      if (read.length === 0) break;
      if (part.endSequence === undefined && !(await this.#isSettled(part))) {
        await this.#finishSealing(part.epoch);
        this.#view = undefined;
        return entries.length > 0 ? entries : 'changed';
      }
      for (const entry of read) entries.push(entry);
      bytesLeft -= read.reduce((sum, entry) => sum + entryBytes(entry.payload.byteLength), 0);
      const isExhausted = from + entries.length === part.endSequence;
      if (bytesLeft <= 0 || !isExhausted) break;
    }
    return entries;
  }

  /**
   * Whether all that was read from a growing file is part of the log for ever. It is made durable, for its writer may not have
   * come to that yet; and if the epoch is live after that, whoever seals it later will find it. A sealed epoch is read again,
   * from its seal.
   */
  async #isSettled(part: LogPart): Promise<boolean> {
    await this.#files.sync(part.path);
    return await isEpochLive(this.#files, this.#directory, part.epoch);
  }

  /** Nothing follows in the known files: there may be new ones, or an epoch whose sealing did not get to its end. */
  async #atEnd(view: ChannelView, from: LogSequence): Promise<ReadResult> {
    const fresh = await this.#refresh();
    if (!isSameView(fresh, view)) return 'changed';
    const last = fresh.parts.at(-1);
    if (last === undefined || last.endSequence !== undefined) return [];
    if (await isEpochLive(this.#files, this.#directory, last.epoch)) return [];
    return (await this.#finishSealing(last.epoch)) > from ? 'changed' : [];
  }

  /** An epoch that is fenced and not sealed: whoever began that may have died. Gives the sequence after the epoch's entries. */
  async #finishSealing(epoch: Epoch): Promise<LogSequence> {
    return await sealEpochsBelow(this.#files, this.#directory, epoch + 1);
  }

  async #refresh(): Promise<ChannelView> {
    const known: ReadonlyMap<Epoch, FileHeader> = this.#view?.seals ?? new Map();
    this.#view = await viewChannel(this.#files, this.#directory, known);
    const kept = new Set(this.#view.parts.map(indexKey));
    for (const key of this.#indexes.keys()) if (!kept.has(key)) this.#indexes.delete(key);
    return this.#view;
  }

  #indexOf(part: LogPart): PartIndex {
    const key = indexKey(part);
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = new PartIndex({ sequence: part.firstSequence, offset: FILE_HEADER_BYTES });
      this.#indexes.set(key, index);
    }
    return index;
  }
}

/** A seal has the entries of the file it replaces at the same bytes. */
function indexKey({ epoch, firstSequence }: LogPart): string {
  return `${epoch}-${firstSequence}`;
}
