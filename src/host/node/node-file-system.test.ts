import { testFileSystem } from '../../../test/conformance/file-system.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { NodeFileSystem } from './node-file-system.ts';

testFileSystem('node', async () => {
  const directory = await temporaryDirectory();
  return {
    files: new NodeFileSystem(),
    root: directory.path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});
