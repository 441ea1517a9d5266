import { testObjectStore } from '../../../test/conformance/object-store.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { createLocalObjectStore } from './local-object-store.ts';

testObjectStore('local', async () => {
  const directory = await temporaryDirectory();
  const stack = new AsyncDisposableStack();
  stack.use(directory);
  return {
    open: async () =>
      stack.use(
        await createLocalObjectStore({ host: createNodeHost(1), directory: `${directory.path}/objects` }),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
});
