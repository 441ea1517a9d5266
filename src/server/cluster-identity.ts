import type { FileSystem, Random } from '../host/index.ts';
import { MishardsError, isErrorWithCode } from '../errors/index.ts';
import type { Metastore } from '../metastore/metastore.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { JsonFields } from '../util/json-fields.ts';
import type { JsonValue } from '../util/packet.ts';

/** In the metadata service and, as a document, in the object store: that the two belong together. */
const IDENTITY_KEY = 'cluster/id';
const MARKER_KEY = 'cluster.json';
/** Raised when older programs would misread what the cluster keeps. */
const STORAGE_VERSION = 1;

export interface ClusterParts {
  readonly metastore: Metastore;
  readonly objectStore: ObjectStore;
  readonly random: Random;
}

/**
 * Makes sure that metadata and objects are of one cluster, before anything is read or written: a new cluster marks both with
 * its id. Any number of processes may do so at once. `CONFIG_INVALID` when they are of different clusters, or one of them has
 * content that the other knows nothing of; `NOT_SUPPORTED` when a newer program keeps them.
 */
export async function identifyCluster(parts: ClusterParts): Promise<string> {
  const { metastore } = parts;
  const [known, marked] = await Promise.all([metastore.get(IDENTITY_KEY), markerOf(parts.objectStore)]);
  if (known !== null) return matching(known.value, marked);
  if (marked === null) await checkNobodysObjects(parts);
  else await checkNothingButMarker(parts, marked);
  const id = marked ?? (await putMarker(parts));
  await metastore.transact({
    compares: [{ kind: 'absent', key: IDENTITY_KEY }],
    then: [{ kind: 'put', key: IDENTITY_KEY, value: id }],
  });
  return matching((await metastore.get(IDENTITY_KEY))!.value, id);
}

function matching(known: string, marked: string | null): string {
  if (known === marked) return known;
  const storage =
    marked === null ? 'has no cluster.json, so it is another one or was emptied' : `is of cluster ${marked}`;
  throw new MishardsError(
    'CONFIG_INVALID',
    `the metadata is of cluster ${known} and the object store ${storage}; name the object store and the metadata service of one cluster`,
  );
}

/** Objects without a marker and without metadata are not ours; with metadata they are of a time before the marker. */
async function checkNobodysObjects({ metastore, objectStore }: ClusterParts): Promise<void> {
  const [first] = await objectStore.list('', { limit: 1 });
  if (first === undefined || first.key === MARKER_KEY) return;
  if ((await metastore.range('catalog/')).entries.length > 0) return;
  throw new MishardsError(
    'CONFIG_INVALID',
    `the object store has objects, such as ${first.key}, and the metadata service knows of none; name an empty one, a prefix of its own, or the metadata that belongs to it`,
  );
}

/** Other processes may be starting the same new cluster; but objects beside the marker are of one whose metadata is elsewhere. */
async function checkNothingButMarker(
  { metastore, objectStore }: ClusterParts,
  marked: string,
): Promise<void> {
  const objects = await objectStore.list('', { limit: 2 });
  const other = objects.find(({ key }) => key !== MARKER_KEY);
  // Whoever put the marker may have come on meanwhile.
  if (other === undefined || (await metastore.get(IDENTITY_KEY)) !== null) return;
  throw new MishardsError(
    'CONFIG_INVALID',
    `the object store is of cluster ${marked} and has objects, such as ${other.key}, and the metadata service knows of none; name the metadata of this cluster, or restore it`,
  );
}

async function putMarker({ objectStore, random }: ClusterParts): Promise<string> {
  const id = Array.from({ length: 4 }, () =>
    random
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  const bytes = new TextEncoder().encode(`${JSON.stringify({ id, storageVersion: STORAGE_VERSION })}\n`);
  try {
    await objectStore.put(MARKER_KEY, bytes, { kind: 'if-absent' });
    return id;
  } catch (error) {
    if (!isErrorWithCode(error, 'OBJECT_CONFLICT')) throw error;
    return (await markerOf(objectStore))!;
  }
}

/** Id in the marker; null when there is none. */
async function markerOf(objectStore: ObjectStore): Promise<string | null> {
  let bytes: Uint8Array;
  try {
    bytes = await objectStore.get(MARKER_KEY);
  } catch (error) {
    if (isErrorWithCode(error, 'OBJECT_NOT_FOUND')) return null;
    throw error;
  }
  const fields = new JsonFields(MARKER_KEY, parsed(bytes));
  const version = fields.count('storageVersion');
  if (version !== STORAGE_VERSION) {
    throw new MishardsError(
      'NOT_SUPPORTED',
      `the object store has storage version ${version}, this program knows ${STORAGE_VERSION}; upgrade it`,
    );
  }
  return fields.text('id');
}

function parsed(bytes: Uint8Array): JsonValue {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as JsonValue;
  } catch (error) {
    throw new MishardsError('CORRUPT_DATA', `${MARKER_KEY} in the object store is not JSON`, {
      cause: error,
    });
  }
}

/** What processes keep in a data directory; a file of the metadata may have a suffix. */
const OWN_NAMES = ['metadata.db', 'objects', 'log', 'cache', 'tmp', 'run'];
const SHOWN_MAX = 3;

/**
 * `CONFIG_INVALID` when the directory has files and none of them is ours, so that nothing is mixed into somebody's files by
 * a wrong path. Hidden files, and what file systems put into their root, do not count.
 */
export async function checkDataDirectory(files: FileSystem, directory: string): Promise<void> {
  const names = (await files.list(directory)).filter(
    (name) => !name.startsWith('.') && name !== 'lost+found',
  );
  const hasOwn = names.some((name) => OWN_NAMES.some((own) => name.startsWith(own)));
  if (names.length === 0 || hasOwn) return;
  const shown = names.slice(0, SHOWN_MAX).join(', ');
  throw new MishardsError(
    'CONFIG_INVALID',
    `data.directory ${directory} has files that are not mishards's (${shown}); name an empty directory or one that does not exist`,
  );
}
