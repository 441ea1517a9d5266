import type { FileSystem } from '../../host/index.ts';
import type { Epoch, LogSequence } from '../../schema/index.ts';

/** Names in the directory of a channel. What each file is for is described in docs/internals/log-format.md. */
export interface ChannelFiles {
  /** Epochs whose appender may append. */
  readonly live: readonly Epoch[];
  /** Epochs whose appender may not append any more, and which are being ended. */
  readonly fenced: readonly Epoch[];
  /** Epochs that have ended. */
  readonly sealed: readonly Epoch[];
  /** By epoch, then by first sequence. */
  readonly logs: readonly LogFileName[];
  /** What lies before it was truncated; the highest of the floor files, or epoch 0 from sequence 1. */
  readonly floor: LogFileName;
  readonly floors: readonly LogFileName[];
}

export interface LogFileName {
  readonly epoch: Epoch;
  readonly firstSequence: LogSequence;
}

const EPOCH_DIGITS = 12;
const SEQUENCE_DIGITS = 16;
const NAME = /^(?:(\d{12})\.(live|fenced|seal)|(\d{12})-(\d{16})\.(log|floor))$/;

export const liveName = (epoch: Epoch): string => `${padded(epoch, EPOCH_DIGITS)}.live`;
export const fencedName = (epoch: Epoch): string => `${padded(epoch, EPOCH_DIGITS)}.fenced`;
export const sealName = (epoch: Epoch): string => `${padded(epoch, EPOCH_DIGITS)}.seal`;
export const logName = (file: LogFileName): string => `${pairName(file)}.log`;
export const floorName = (file: LogFileName): string => `${pairName(file)}.floor`;

export async function listChannelFiles(files: FileSystem, directory: string): Promise<ChannelFiles> {
  const markers = { live: [] as Epoch[], fenced: [] as Epoch[], seal: [] as Epoch[] };
  const logs: LogFileName[] = [];
  const floors: LogFileName[] = [];
  for (const name of await files.list(directory)) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const [, epoch, marker, pairEpoch, firstSequence, pairKind] = match;
    if (marker !== undefined) markers[marker as keyof typeof markers].push(Number(epoch));
    const pair = { epoch: Number(pairEpoch), firstSequence: Number(firstSequence) };
    if (pairKind !== undefined) (pairKind === 'log' ? logs : floors).push(pair);
  }
  const floor = floors.sort(comparePairs).at(-1) ?? { epoch: 0, firstSequence: 1 };
  const { live, fenced, seal: sealed } = markers;
  return { live, fenced, sealed, logs: logs.sort(comparePairs), floor, floors };
}

/** Epochs that are not truncated away and have any file, ascending. */
export function epochsOf({ live, fenced, sealed, logs, floor }: ChannelFiles): Epoch[] {
  const all = new Set([...live, ...fenced, ...sealed, ...logs.map(({ epoch }) => epoch)]);
  return [...all].filter((epoch) => epoch >= floor.epoch).sort((a, b) => a - b);
}

/** Names below the floor, which may be removed. */
export function namesBelow(files: ChannelFiles, floor: LogFileName): string[] {
  const { live, fenced, sealed, logs, floors } = files;
  return [
    ...floors.filter((file) => comparePairs(file, floor) < 0).map(floorName),
    ...logs.filter((file) => comparePairs(file, floor) < 0).map(logName),
    ...sealed.filter((epoch) => epoch < floor.epoch).map(sealName),
    ...live.filter((epoch) => epoch < floor.epoch).map(liveName),
    ...fenced.filter((epoch) => epoch < floor.epoch).map(fencedName),
  ];
}

export function comparePairs(a: LogFileName, b: LogFileName): number {
  return a.epoch - b.epoch || a.firstSequence - b.firstSequence;
}

function pairName({ epoch, firstSequence }: LogFileName): string {
  return `${padded(epoch, EPOCH_DIGITS)}-${padded(firstSequence, SEQUENCE_DIGITS)}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
