import { fileErrorCode, type FileSystem } from '../host/index.ts';

export interface TemporaryFile extends AsyncDisposable {
  readonly path: string;
}

/** A path for a file that is to be made and goes away when disposed. What a process that died left there is removed. */
export async function temporaryFile(
  files: FileSystem,
  directory: string,
  name: string,
): Promise<TemporaryFile> {
  await files.makeDirectory(directory);
  const path = `${directory}/${name}`;
  const remove = async (): Promise<void> => {
    await files.remove(path).catch((error: unknown) => {
      if (fileErrorCode(error) !== 'ENOENT') throw error;
    });
  };
  await remove();
  return { path, [Symbol.asyncDispose]: remove };
}
