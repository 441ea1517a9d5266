import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Set for the run inside: where the small file system is mounted. */
const MOUNTED = 'SMALL_DISK_DIRECTORY';

/**
 * Directory of a file system of `sizeMiB` of its own, without rights of an administrator: runs this script again in a user
 * namespace where it may mount one, and ends with its exit code. Linux with user namespaces.
 */
export function onSmallDisk(sizeMiB: number): string {
  const mounted = process.env[MOUNTED];
  if (mounted !== undefined) return mounted;
  const directory = mkdtempSync(join(tmpdir(), 'mishards-disk-'));
  const mount = `mount -t tmpfs -o size=${sizeMiB}m none "$0" && exec "$@"`;
  const command = ['sh', '-c', mount, directory, process.execPath, ...process.argv.slice(1)];
  const { status, error } = spawnSync('unshare', ['-Ur', '-m', ...command], {
    stdio: 'inherit',
    env: { ...process.env, [MOUNTED]: directory },
  });
  rmSync(directory, { recursive: true, force: true });
  if (error !== undefined) throw error;
  process.exit(status ?? 1);
}
