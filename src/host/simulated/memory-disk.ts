import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { loseUnsynced, newDirectory, type DirectoryNode } from './disk-nodes.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

export interface MemoryDiskOptions {
  readonly clock: Clock;
  /** Growing files beyond it fails with `ENOSPC`, after writing what still fits. */
  readonly capacityBytes?: number;
}

/** A disk in memory that several processes can mount, with the durability of a real one: unsynced data may be lost. */
export class MemoryDisk {
  readonly clock: Clock;
  readonly root: DirectoryNode;
  capacityBytes: number;
  /** Operations begun, on all mounts, since the disk was made. */
  operationCount = 0;
  #generation = 0;
  #crashAt: { readonly count: number; readonly tear: Random | undefined } | undefined;
  #uniqueCount = 0;

  constructor(options: MemoryDiskOptions) {
    this.clock = options.clock;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.root = newDirectory(this.clock.nowMs());
  }

  get generation(): number {
    return this.#generation;
  }

  /** The files as one process sees them, until it is killed or the power is cut. */
  mount(): MemoryFileSystem {
    return new MemoryFileSystem(this);
  }

  /** Cuts the power: what was not synced is lost (torn, with `tear`), and every mount so far is dead. */
  crash(tear?: Random): void {
    this.#generation++;
    this.#crashAt = undefined;
    loseUnsynced(this.root, tear);
  }

  /** Cuts the power instead of beginning the operation that would be the `operationCount`-th from now (0 = the next). */
  crashAfter(operationCount: number, tear?: Random): void {
    this.#crashAt = { count: this.operationCount + operationCount, tear };
  }

  begin(): void {
    if (this.#crashAt !== undefined && this.operationCount >= this.#crashAt.count)
      this.crash(this.#crashAt.tear);
    else this.operationCount++;
  }

  nextUnique(): number {
    return this.#uniqueCount++;
  }

  usedBytes(directory: DirectoryNode = this.root): number {
    let sum = 0;
    for (const node of directory.names.values()) {
      sum += node.kind === 'file' ? node.content.size / Math.max(1, node.linkCount) : this.usedBytes(node);
    }
    return sum;
  }
}
