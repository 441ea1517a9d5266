import { testLog } from '../../../test/conformance/log.ts';
import { MemoryLogVolume, createMemoryLog } from './memory-log.ts';

testLog('memory', async () => {
  const volume = new MemoryLogVolume();
  return { open: async () => createMemoryLog({ volume }), [Symbol.asyncDispose]: async () => {} };
});
