export type { Clock } from './clock.ts';
export { fileErrorCode, storageError } from './file-error.ts';
export type { AppendFile, DirectoryEntry, FileStat, FileSystem } from './file-system.ts';
export type { Host } from './host.ts';
export { SeededRandom, type Random } from './random.ts';
export type { Timers } from './timers.ts';
export { Turns } from './turns.ts';
