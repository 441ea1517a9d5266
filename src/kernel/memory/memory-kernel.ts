import { MishardsError } from '../../errors/index.ts';
import type { FileSystem } from '../../host/index.ts';
import { METRICS } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';
import { crc32c } from '../../util/crc32c.ts';
import { decodePacket, encodePacket, type JsonValue, type Packet } from '../../util/packet.ts';
import { bytesOf, viewAs } from '../../util/typed-views.ts';
import {
  INDEX_TYPES,
  type BuildIndexOptions,
  type BuildReport,
  type FileReport,
  type GrowingBlock,
  type Kernel,
  type KernelHits,
  type KernelSearch,
  type VectorFile,
  type VectorIndex,
  type WriteVectorsOptions,
} from '../kernel.ts';
import { readHnswParams } from '../index-params.ts';
import { searchExactly } from './memory-search.ts';
import { MemoryBlock, MemoryIndex, MemoryVectorFile } from './memory-vectors.ts';

/**
 * The contract in plain TypeScript: the reference that the native kernel is compared with, and a kernel for tests of what
 * stands on it. Every search is exact, also one that asks for HNSW. It works on the caller's thread, without priorities
 * and without a queue. Files are packets with their vectors or the description of an index; other kernels cannot read them.
 */
export class MemoryKernel implements Kernel {
  readonly info = { instructionSet: 'scalar', threads: 1 };
  readonly #files: FileSystem;
  #disposed = false;

  constructor(options: { readonly files: FileSystem }) {
    this.#files = options.files;
  }

  async writeVectors({ path, vectors, dim }: WriteVectorsOptions): Promise<FileReport> {
    assert(vectors.length % dim === 0, `${vectors.length} values are not whole rows of ${dim}`);
    return this.#write(path, { head: { kind: 'vectors', dim }, parts: [bytesOf(vectors)] });
  }

  async openVectors(path: string): Promise<VectorFile> {
    const { head, parts, checksum } = await this.#read(path, 'vectors');
    const values = viewAs(Float32Array, partOf(parts));
    const dim = Number(head['dim']);
    if (!Number.isInteger(dim) || dim < 1 || values.length % dim !== 0)
      throw corrupt(`${values.length} values are not whole rows of ${dim}`);
    return new MemoryVectorFile(dim, values, checksum);
  }

  async buildIndex(options: BuildIndexOptions): Promise<BuildReport> {
    const { type, metric, vectors, path, params, signal } = options;
    assert(vectors instanceof MemoryVectorFile, 'the vectors belong to this kernel');
    readHnswParams(params);
    if (signal?.aborted === true) throw new MishardsError('CANCELLED', 'the build was cancelled');
    const head = { kind: 'index', type, metric, rowCount: vectors.rowCount, checksum: vectors.checksum };
    const report = await this.#write(path, { head, parts: [] });
    options.onProgress?.(1);
    return { ...report, peakBytes: vectors.sizeBytes };
  }

  async openIndex(path: string, vectors: VectorFile): Promise<VectorIndex> {
    assert(vectors instanceof MemoryVectorFile, 'the vectors belong to this kernel');
    const { head, sizeBytes } = await this.#read(path, 'index');
    const type = INDEX_TYPES.find((candidate) => candidate === head['type']);
    const metric = METRICS.find((candidate) => candidate === head['metric']);
    if (type === undefined || metric === undefined) throw corrupt('the index has an unknown type or metric');
    if (head['rowCount'] !== vectors.rowCount || head['checksum'] !== vectors.checksum)
      throw corrupt('the index was built over other vectors');
    return new MemoryIndex(type, metric, vectors, sizeBytes);
  }

  createBlock({ dim, capacity }: { readonly dim: number; readonly capacity: number }): GrowingBlock {
    return new MemoryBlock(dim, capacity);
  }

  async search(request: KernelSearch): Promise<KernelHits> {
    this.#refuseAfterDispose();
    return searchExactly(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }

  /** A file is the packet, then its CRC32C. */
  async #write(path: string, packet: Packet): Promise<FileReport> {
    this.#refuseAfterDispose();
    const packetBytes = encodePacket(packet);
    const bytes = new Uint8Array(packetBytes.byteLength + 4);
    bytes.set(packetBytes);
    new DataView(bytes.buffer).setUint32(packetBytes.byteLength, crc32c(packetBytes), true);
    await this.#files.write(path, bytes);
    return { sizeBytes: bytes.byteLength };
  }

  async #read(path: string, kind: string): Promise<OpenedFile> {
    this.#refuseAfterDispose();
    const bytes = Uint8Array.from(await this.#files.read(path));
    if (bytes.byteLength < 4) throw corrupt(`${bytes.byteLength} bytes are too few for a file`);
    const packetBytes = bytes.subarray(0, bytes.byteLength - 4);
    const checksum = crc32c(packetBytes);
    if (new DataView(bytes.buffer).getUint32(packetBytes.byteLength, true) !== checksum)
      throw corrupt('the checksum of the file does not fit its content');
    const { head, parts } = decodePacket(packetBytes);
    const record = head as OpenedFile['head'];
    if (record['kind'] !== kind) throw corrupt(`the file holds ${String(record['kind'])}, not ${kind}`);
    return { head: record, parts, checksum, sizeBytes: bytes.byteLength };
  }

  #refuseAfterDispose(): void {
    if (this.#disposed)
      throw new MishardsError('SERVICE_NOT_READY', 'the kernel was disposed; create another');
  }
}

interface OpenedFile {
  readonly head: { readonly [name: string]: JsonValue | undefined };
  readonly parts: readonly Uint8Array[];
  readonly checksum: number;
  readonly sizeBytes: number;
}

function partOf(parts: readonly Uint8Array[]): Uint8Array {
  const [part] = parts;
  if (part === undefined || parts.length !== 1) throw corrupt(`${parts.length} parts instead of 1`);
  return part;
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', message);
}
