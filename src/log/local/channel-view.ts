import type { FileSystem } from '../../host/index.ts';
import type { Epoch, LogSequence } from '../../schema/index.ts';
import { epochsOf, listChannelFiles, logName, sealName, type ChannelFiles } from './channel-files.ts';
import type { FileHeader } from './file-header.ts';
import { readSealHeader } from './seal-epoch.ts';

/** A file whose entries count, and which they are. */
export interface LogPart {
  readonly kind: FileHeader['kind'];
  readonly epoch: Epoch;
  readonly firstSequence: LogSequence;
  /** The sequence after its last entry; undefined for a file that may still grow. */
  readonly endSequence: LogSequence | undefined;
  readonly path: string;
}

/** The files of a channel as they were listed, in the order of their entries. */
export interface ChannelView {
  readonly files: ChannelFiles;
  readonly parts: readonly LogPart[];
  readonly seals: ReadonlyMap<Epoch, FileHeader>;
}

/** `known` seals, which never change, are not read again. */
export async function viewChannel(
  files: FileSystem,
  directory: string,
  known: ReadonlyMap<Epoch, FileHeader>,
): Promise<ChannelView> {
  const listed = await listChannelFiles(files, directory);
  const seals = new Map<Epoch, FileHeader>();
  const open: Omit<LogPart, 'endSequence'>[] = [];
  for (const epoch of epochsOf(listed)) {
    const sealed = listed.sealed.includes(epoch);
    const seal = sealed ? (known.get(epoch) ?? (await readSealHeader(files, directory, epoch))) : undefined;
    for (const file of listed.logs) {
      if (file.epoch !== epoch || (seal !== undefined && file.firstSequence >= seal.firstSequence)) continue;
      open.push({ kind: 'log', ...file, path: `${directory}/${logName(file)}` });
    }
    if (seal === undefined) continue;
    seals.set(epoch, seal);
    const { firstSequence } = seal;
    open.push({ kind: 'seal', epoch, firstSequence, path: `${directory}/${sealName(epoch)}` });
  }
  const parts = open.map((part, index): LogPart => {
    const next = open[index + 1];
    if (part.kind === 'seal') return { ...part, endSequence: seals.get(part.epoch)!.lastSequence + 1 };
    const mayGrow = next?.epoch !== part.epoch;
    return { ...part, endSequence: mayGrow ? undefined : next!.firstSequence };
  });
  return { files: listed, parts, seals };
}

export function isSameView(a: ChannelView, b: ChannelView): boolean {
  const same = (left: LogPart, right: LogPart | undefined): boolean =>
    left.path === right?.path && left.endSequence === right.endSequence;
  return (
    a.parts.length === b.parts.length &&
    a.files.floor.firstSequence === b.files.floor.firstSequence &&
    a.parts.every((part, index) => same(part, b.parts[index]))
  );
}
