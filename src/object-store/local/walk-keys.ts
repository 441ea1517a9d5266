import type { FileSystem } from '../../host/index.ts';
import { undefinedIfMissing } from './staging.ts';

/** Keys of the files below `root` that start with `prefix` and come after `startAfter`, ascending. Names with a leading dot are not objects. */
export async function* walkKeys(
  files: Pick<FileSystem, 'scan'>,
  root: string,
  prefix: string,
  startAfter: string,
): AsyncGenerator<string> {
  yield* walk(prefix.slice(0, prefix.lastIndexOf('/') + 1));

  async function* walk(base: string): AsyncGenerator<string> {
    const scanned = (await undefinedIfMissing(files.scan(`${root}/${base}`))) ?? [];
    const entries = scanned.filter((entry) => !entry.name.startsWith('.'));
    // A directory stands in the order where its keys do, and they continue its name with a slash.
    const keys = entries.map((entry) => base + entry.name + (entry.isDirectory ? '/' : '')).sort();
    for (const key of keys) {
      if (!key.endsWith('/')) {
        if (key.startsWith(prefix) && key > startAfter) yield key;
      } else if (mayHold(key)) {
        yield* walk(key);
      }
    }
  }

  function mayHold(directory: string): boolean {
    if (!directory.startsWith(prefix) && !prefix.startsWith(directory)) return false;
    return directory > startAfter || startAfter.startsWith(directory);
  }
}
