import { testObjectStore } from '../../../test/conformance/object-store.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { MemoryObjectVolume, createMemoryObjectStore } from './memory-object-store.ts';

testObjectStore('memory', async () => {
  const host = createNodeHost(1);
  const volume = new MemoryObjectVolume();
  return {
    open: async () => createMemoryObjectStore({ host, volume }),
    [Symbol.asyncDispose]: async () => {},
  };
});
