export { fileError } from './memory-disk.ts';
export {
  MemoryDisk,
  MemoryFileSystem,
  type FileIntercept,
  type FileOperation,
  type MemoryDiskOptions,
} from './memory-file-system.ts';
export { createSimulatedHost, type SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts';
export { SimulatedClock, SimulatedTimers } from './simulated-time.ts';
