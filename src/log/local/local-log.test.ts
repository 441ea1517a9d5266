import { testLog } from '../../../test/conformance/log.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { MemoryDisk, SimulatedClock } from '../../host/simulated/index.ts';
import { createLocalLog } from './local-log.ts';

testLog('local', async () => {
  const directory = await temporaryDirectory();
  return {
    open: () => createLocalLog({ host: createNodeHost(1), directory: directory.file('log') }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});

// Files so small that nearly every write begins a new one.
testLog('local, with tiny files,', async () => {
  const disk = new MemoryDisk({ clock: new SimulatedClock() });
  const limits = { fileBytesMax: 200, writeBytesMax: 300 };
  return {
    open: () => createLocalLog({ host: { files: disk.mount() }, directory: '/log', ...limits }),
    [Symbol.asyncDispose]: async () => {},
  };
});
