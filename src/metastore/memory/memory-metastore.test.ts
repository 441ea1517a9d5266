import { testMetastore } from '../../../test/conformance/metastore.ts';
import { createSimulatedHost } from '../../host/simulated/index.ts';
import { MemoryMetastoreVolume } from './memory-metastore-volume.ts';
import { createMemoryMetastore } from './memory-metastore.ts';

testMetastore('memory', async () => {
  const host = createSimulatedHost();
  const volume = new MemoryMetastoreVolume(64);
  return {
    keptRevisionsBelow: 100,
    open: async () => createMemoryMetastore({ host, volume }),
    passTime: (durationMs) => host.timers.advance(durationMs),
    [Symbol.asyncDispose]: async () => {},
  };
});
