import { MishardsError } from '../../errors/index.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

const CAUSES: Record<number, string> = {
  [BUSY]: 'another process holds its lock',
  [LOCKED]: 'another statement holds its lock',
  3: 'permission denied; let this user read and write it',
  8: 'it is read-only; let this user write it and its directory',
  10: 'the device reported an input/output error; check the disk',
  13: 'the disk is full; free space or enlarge it',
  14: 'it cannot be opened; check the path and its permissions',
  15: 'its locks do not work; put it on a local disk',
};

/** The primary result code of an error of SQLite; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

export function isSqliteBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED;
}

/** An error of SQLite as a typed one; anything else is returned as it is. */
export function asMetastoreError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const options = { cause: error, detail: (error as Error).message };
  if (code === CORRUPT) {
    return new MishardsError(
      'CORRUPT_DATA',
      `the metadata database ${path} is damaged; restore it from a backup`,
      options,
    );
  }
  if (code === NOT_A_DATABASE) return notOurs(path, 'it is not a SQLite database');
  const known = CAUSES[code];
  // Anything else (syntax, misuse, constraints) is a defect of this program.
  if (known === undefined) return error;
  return new MishardsError(
    'METASTORE_UNAVAILABLE',
    `the metadata database ${path} does not answer: ${known}`,
    options,
  );
}

export function notOurs(path: string, why: string): MishardsError {
  return new MishardsError(
    'CONFIG_INVALID',
    `the file ${path} is not a metadata database of mishards: ${why}; name another path or move the file away`,
  );
}

export function tooNew(path: string, version: number, known: number): MishardsError {
  return new MishardsError(
    'CONFIG_INVALID',
    `the metadata database ${path} has the schema version ${version}, this program knows up to ${known}; upgrade it`,
  );
}
