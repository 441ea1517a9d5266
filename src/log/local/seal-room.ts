import { fileErrorCode, type FileSystem } from '../../host/index.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Epoch } from '../../schema/index.ts';
import { epochsOf, listChannelFiles, logName } from './channel-files.ts';

/**
 * Throws `STORAGE_UNAVAILABLE` unless the disk has room for the seals of the epochs below, and for one file after them. Asked
 * before the first is fenced: an epoch that is fenced and cannot be sealed cannot be read to its end, by anyone, until there is
 * space; one that stays live can.
 */
export async function checkSealRoom(
  files: FileSystem,
  directory: string,
  epoch: Epoch,
  fileBytesMax: number,
): Promise<void> {
  const listed = await listChannelFiles(files, directory);
  const unsealed = epochsOf(listed).filter((other) => other < epoch && !listed.sealed.includes(other));
  if (unsealed.length === 0) return;
  let neededBytes = fileBytesMax;
  for (const lower of unsealed) {
    const last = listed.logs.findLast((file) => file.epoch === lower);
    if (last !== undefined) neededBytes += await sizeIfPresent(files, `${directory}/${logName(last)}`);
  }
  const freeBytes = await files.freeBytes(directory);
  if (freeBytes >= neededBytes) return;
  throw new MishardsError(
    'STORAGE_UNAVAILABLE',
    `ending the epochs below ${epoch} in ${directory} needs ${neededBytes} bytes, the disk has ${freeBytes} left; free space or enlarge it`,
  );
}

/** A seal by another process removes the file. */
async function sizeIfPresent(files: FileSystem, path: string): Promise<number> {
  try {
    return (await files.stat(path)).sizeBytes;
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
