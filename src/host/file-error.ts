import { MishardsError } from '../errors/index.ts';

/** The `code` of an error of the file system (`ENOENT`, `ENOSPC` …); undefined for any other error. */
export function fileErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof MishardsError) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

const CURES: Record<string, string> = {
  ENOSPC: 'the disk is full; free space or enlarge it',
  EDQUOT: 'the disk quota is used up; raise it',
  EIO: 'the device reported an input/output error; check the disk',
  EROFS: 'the file system is read-only; mount it writable',
  EACCES: 'permission denied; let this user read and write there',
  EPERM: 'the operation is not permitted; check owner, flags and mount options',
  EMFILE: 'too many open files; raise the limit of open files',
  ENFILE: 'the machine has too many open files',
  ESTALE: 'the network file system lost the file; check the mount',
  EEXIST: 'the path is taken by something else',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EISDIR: 'the path is a directory, not a file',
};

/**
 * A failure of the file system as `STORAGE_UNAVAILABLE` that says what was being done and what helps. An error that is not
 * of the file system is returned as it is: it is either typed already or a defect.
 */
export function storageError(error: unknown, doing: string): unknown {
  const code = fileErrorCode(error);
  if (code === undefined) return error;
  const cure = CURES[code] ?? 'check the storage';
  return new MishardsError('STORAGE_UNAVAILABLE', `${doing} failed with ${code}: ${cure}`, {
    cause: error,
    detail: (error as Error).message,
  });
}
