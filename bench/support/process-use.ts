// What another process of this machine has used, from Linux's /proc.
import { readFileSync } from 'node:fs';

/** Linux reports processor time to programs in this unit on every architecture Node runs on. */
const TICK_MS = 10;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Milliseconds of processor time, in steps of 10. */
export function processorMs(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program is in parentheses and may hold anything.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MS;
}

/** Bytes of memory in use: the process's own and the pages of mapped files it has touched. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (line === null) throw new Error(`process ${pid} tells no VmRSS`);
  return Number(line[1]) * 1024;
}

/** Bytes of memory that no file stands behind, counted page by page. */
export function anonymousBytes(pid: number): number {
  const line = /^Anonymous:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  if (line === null) throw new Error(`process ${pid} tells no anonymous memory`);
  return Number(line[1]) * 1024;
}
