import type { DatabaseSync } from 'node:sqlite';
import { notOurs, tooNew } from './sqlite-errors.ts';

const SCHEMA_VERSION = 1;

const TABLES = `
  CREATE TABLE mishards_schema (version INTEGER NOT NULL);
  CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    compacted_revision INTEGER NOT NULL
  );
  CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    create_revision INTEGER NOT NULL,
    mod_revision INTEGER NOT NULL,
    lease_id INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX entries_by_lease ON entries (lease_id) WHERE lease_id IS NOT NULL;
  -- A change without a value is a deletion.
  CREATE TABLE changes (
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    create_revision INTEGER,
    PRIMARY KEY (revision, position)
  ) WITHOUT ROWID;
  CREATE TABLE leases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    expires_ms INTEGER NOT NULL
  );
  CREATE INDEX leases_by_expiry ON leases (expires_ms);
  INSERT INTO mishards_schema (version) VALUES (${SCHEMA_VERSION});
  INSERT INTO state (id, revision, compacted_revision) VALUES (1, 0, 0);
`;

/**
 * Makes the tables in an empty database; throws `CONFIG_INVALID`, without having changed anything, when the file is somebody
 * else's or was made by a newer program. Safe when several processes open a new file at once.
 */
export function prepareSchema(db: DatabaseSync, path: string): void {
  if (isOurs(db, path)) return setModes(db);
  setModes(db);
  db.exec('BEGIN IMMEDIATE');
  try {
    if (!isOurs(db, path)) db.exec(TABLES);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** In WAL mode readers do not wait for the writer; `FULL` syncs the log at every commit. */
function setModes(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
}

/** False for an empty database. */
function isOurs(db: DatabaseSync, path: string): boolean {
  const names = db.prepare('SELECT name FROM sqlite_schema').all() as { name: string }[];
  if (names.length === 0) return false;
  if (!names.some(({ name }) => name === 'mishards_schema')) throw notOurs(path, 'it has other tables');
  const row = db.prepare('SELECT version FROM mishards_schema').get() as { version: number } | undefined;
  if (row === undefined) throw notOurs(path, 'its schema version is missing');
  if (row.version > SCHEMA_VERSION) throw tooNew(path, row.version, SCHEMA_VERSION);
  return true;
}
