import { MishardsError, isErrorWithCode } from '../../errors/index.ts';
import { fileErrorCode, type FileSystem } from '../../host/index.ts';
import type { Epoch, LogSequence } from '../../schema/index.ts';
import {
  epochsOf,
  fencedName,
  listChannelFiles,
  liveName,
  logName,
  sealName,
  type ChannelFiles,
  type LogFileName,
} from './channel-files.ts';
import { decodeEntries, hasLaterWrite } from './entry-format.ts';
import { FILE_HEADER_BYTES, decodeFileHeader, encodeFileHeader, type FileHeader } from './file-header.ts';

const ATTEMPTS_MAX = 8;

/** True while the epoch's appender has not been fenced. Opening the file, and not only asking for it, makes NFS look. */
export async function isEpochLive(files: FileSystem, directory: string, epoch: Epoch): Promise<boolean> {
  return (await readIfPresent(files, `${directory}/${liveName(epoch)}`)) !== undefined;
}

export async function readSealHeader(
  files: FileSystem,
  directory: string,
  epoch: Epoch,
): Promise<FileHeader | undefined> {
  const path = `${directory}/${sealName(epoch)}`;
  const bytes = await readIfPresent(files, path, FILE_HEADER_BYTES);
  if (bytes === undefined) return undefined;
  const header = decodeFileHeader(bytes);
  if (header?.kind !== 'seal' || header.epoch !== epoch) throw corrupt(path, 'its header is damaged');
  return header;
}

/**
 * Ends an epoch, of which all lower ones have ended: fences its appender, then records what it wrote. Any process may do it,
 * several at once; the first record counts. `nextSequence` is where the epoch began if it has no files. Gives the record.
 *
 * Why no acknowledged entry is missed and no other one comes later: an appender acknowledges a write only if, after syncing
 * it, it finds its `live` file. That file is removed first here, durably, and then the entries are read. So whatever was or
 * will be acknowledged is in what is read. The record holds a copy of the entries of the last file and says where it
 * begins, hence what the fenced appender still writes, there or into new files, is never looked at.
 */
export async function sealEpoch(
  files: FileSystem,
  directory: string,
  epoch: Epoch,
  nextSequence: LogSequence,
): Promise<FileHeader> {
  // The epoch must be seen at every moment, also when nothing was appended to it.
  await writeOnce(files, `${directory}/${fencedName(epoch)}`, new Uint8Array(0));
  await files.remove(`${directory}/${liveName(epoch)}`).catch(ignoreMissing);
  await files.sync(directory);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const existing = await readSealHeader(files, directory, epoch);
    if (existing !== undefined) {
      await removeSuperseded(files, directory, existing);
      return existing;
    }
    await refreshListing(files, directory);
    const { logs } = await listChannelFiles(files, directory);
    const last = logs.findLast((file) => file.epoch === epoch);
    const seal =
      last === undefined ? emptySeal(epoch, nextSequence) : await sealOfFile(files, directory, last);
    // Another process sealed the epoch and removed its last file meanwhile.
    if (seal === undefined) continue;
    await writeOnce(files, `${directory}/${sealName(epoch)}`, seal);
  }
  throw new MishardsError(
    'STORAGE_UNAVAILABLE',
    `the epoch ${epoch} in ${directory} could not be sealed in ${ATTEMPTS_MAX} attempts; is the directory being changed?`,
  );
}

/** Ends all epochs below `epoch`, lowest first. Gives the sequence of the entry after theirs. */
export async function sealEpochsBelow(
  files: FileSystem,
  directory: string,
  epoch: Epoch,
): Promise<LogSequence> {
  for (let attempt = 0; ;) {
    const listed = await listChannelFiles(files, directory);
    const lower = epochsOf(listed).filter((candidate) => candidate < epoch);
    const unsealed = lower.findIndex((candidate) => !listed.sealed.includes(candidate));
    try {
      const sealed = unsealed === -1 ? lower : lower.slice(0, unsealed);
      const nextSequence = await endOfSealed(files, directory, listed, sealed);
      if (unsealed === -1) return nextSequence;
      await sealEpoch(files, directory, lower[unsealed]!, nextSequence);
    } catch (error) {
      // A truncation under way removes files; one that is really missing is so each time.
      const mayPass = fileErrorCode(error) === 'ENOENT' || isErrorWithCode(error, 'CORRUPT_DATA');
      if (!mayPass || ++attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** The sequence after the given epochs, which follow each other from the floor on. */
async function endOfSealed(
  files: FileSystem,
  directory: string,
  { floor, logs }: ChannelFiles,
  epochs: readonly Epoch[],
): Promise<LogSequence> {
  let nextSequence = floor.firstSequence;
  for (const epoch of epochs) {
    const path = `${directory}/${sealName(epoch)}`;
    const seal = await readSealHeader(files, directory, epoch);
    if (seal === undefined) throw corrupt(path, 'it is missing');
    const firstLog = logs.find((file) => file.epoch === epoch);
    const begin = Math.min(seal.firstSequence, firstLog?.firstSequence ?? seal.firstSequence);
    // Files just below the floor may still be there.
    if (begin > nextSequence || (begin < nextSequence && epoch !== floor.epoch)) {
      throw corrupt(path, `the epoch begins with the entry ${begin}, where ${nextSequence} should follow`);
    }
    nextSequence = seal.lastSequence + 1;
  }
  return nextSequence;
}

function emptySeal(epoch: Epoch, nextSequence: LogSequence): Uint8Array {
  return encodeFileHeader({
    kind: 'seal',
    epoch,
    firstSequence: nextSequence,
    lastSequence: nextSequence - 1,
  });
}

async function sealOfFile(
  files: FileSystem,
  directory: string,
  file: LogFileName,
): Promise<Uint8Array | undefined> {
  const path = `${directory}/${logName(file)}`;
  const bytes = await readIfPresent(files, path);
  if (bytes === undefined) return undefined;
  const { epoch, firstSequence } = file;
  // The header was synced before any entry was written.
  if (!isHeaderOf(file, bytes) && bytes.byteLength > FILE_HEADER_BYTES)
    throw corrupt(path, 'its header is damaged');
  const body = bytes.subarray(FILE_HEADER_BYTES);
  const { entries, consumedBytes } = decodeEntries(body, epoch, firstSequence);
  const lastSequence = firstSequence + entries.length - 1;
  if (hasLaterWrite(body.subarray(consumedBytes), lastSequence + 1)) {
    throw corrupt(
      path,
      `the entry ${lastSequence + 1} at byte ${FILE_HEADER_BYTES + consumedBytes} is damaged`,
    );
  }
  const seal = new Uint8Array(FILE_HEADER_BYTES + consumedBytes);
  seal.set(encodeFileHeader({ kind: 'seal', epoch, firstSequence, lastSequence }));
  seal.set(body.subarray(0, consumedBytes), FILE_HEADER_BYTES);
  return seal;
}

export function isHeaderOf(file: LogFileName, bytes: Uint8Array): boolean {
  const header = decodeFileHeader(bytes);
  return header?.kind === 'log' && header.epoch === file.epoch && header.firstSequence === file.firstSequence;
}

/** The files the seal stands for, and what a fenced appender created after them. */
async function removeSuperseded(files: FileSystem, directory: string, seal: FileHeader): Promise<void> {
  const { logs } = await listChannelFiles(files, directory);
  const superseded = logs.filter(
    ({ epoch, firstSequence }) => epoch === seal.epoch && firstSequence >= seal.firstSequence,
  );
  for (const name of [fencedName(seal.epoch), ...superseded.map(logName)]) {
    await files.remove(`${directory}/${name}`).catch(ignoreMissing);
  }
}

/** NFS clients keep listings for a while, except of directories they change. */
async function refreshListing(files: FileSystem, directory: string): Promise<void> {
  await files.removeDirectory(await files.makeUniqueDirectory(directory));
}

export async function readIfPresent(
  files: FileSystem,
  path: string,
  length?: number,
): Promise<Uint8Array | undefined> {
  try {
    return await (length === undefined ? files.read(path) : files.readRange(path, 0, length));
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Leaves the file as it is when it exists. */
export async function writeOnce(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  await files.writeExclusive(path, bytes).catch((error: unknown) => {
    if (fileErrorCode(error) !== 'EEXIST') throw error;
  });
}

export function ignoreMissing(error: unknown): void {
  if (fileErrorCode(error) !== 'ENOENT') throw error;
}

export function corrupt(path: string, why: string): MishardsError {
  return new MishardsError(
    'CORRUPT_DATA',
    `the log file ${path} is damaged: ${why}; restore it from a backup, or drop the channel`,
  );
}
