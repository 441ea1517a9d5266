export { fileError } from './disk-nodes.ts';
export { MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts';
export { MemoryFileSystem, type FileIntercept, type FileOperation } from './memory-file-system.ts';
export { createSimulatedHost, type SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts';
export { SimulatedClock, SimulatedTimers } from './simulated-time.ts';
