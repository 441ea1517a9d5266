import { MishardsError } from '../../errors/index.ts';
import type { FileSystem } from '../../host/index.ts';
import { assert } from '../../util/assert.ts';
import { crc32c } from '../../util/crc32c.ts';
import { decodePacket, encodePacket, type JsonValue, type Packet } from '../../util/packet.ts';
import { bytesOf, viewAs } from '../../util/typed-views.ts';
import {
  KERNEL_METRICS,
  VECTOR_FORMATS,
  type BuildIndexOptions,
  type BuildReport,
  type FileReport,
  type GrowingBlock,
  type Kernel,
  type KernelHits,
  type KernelSearch,
  type VectorFile,
  type VectorIndex,
  type VectorShape,
  type VectorValues,
  type WriteVectorsOptions,
} from '../kernel.ts';
import { checkIndexMetric, INDEX_TYPES, readBuildParams } from '../index-types.ts';
import { isSparse, newDenseValues, rowBytes, shapeDefect, vectorsDefect } from '../vectors.ts';
import { searchExactly } from './memory-search.ts';
import { MemoryBlock, MemoryIndex, MemoryVectorFile } from './memory-vectors.ts';

/**
 * The contract in plain TypeScript: the reference that the native kernel is compared with, and a kernel for tests of what
 * stands on it. Every search is exact, also one over an index. It works on the caller's thread, without priorities
 * and without a queue. Files are packets with their vectors or the description of an index; other kernels cannot read them.
 */
export class MemoryKernel implements Kernel {
  readonly info = { instructionSet: 'scalar', threads: 1 };
  readonly #files: FileSystem;
  #disposed = false;

  constructor(options: { readonly files: FileSystem }) {
    this.#files = options.files;
  }

  async writeVectors({ path, vectors, format, dim }: WriteVectorsOptions): Promise<FileReport> {
    const defect = shapeDefect({ format, dim }) ?? vectorsDefect({ format, dim }, vectors);
    assert(defect === null, defect ?? '');
    const parts = isSparse(vectors) ? [vectors.offsets, vectors.indices, vectors.values] : [vectors];
    return this.#write(path, { head: { kind: 'vectors', format, dim }, parts: parts.map(bytesOf) });
  }

  async openVectors(path: string): Promise<VectorFile> {
    const { head, parts, sizeBytes, checksum } = await this.#read(path, 'vectors');
    const format = VECTOR_FORMATS.find((candidate) => candidate === head['format']);
    if (format === undefined) throw corrupt('the vectors have an unknown format');
    const shape: VectorShape = { format, dim: Number(head['dim']) };
    const values = shapeDefect(shape) === null ? valuesOf(shape, parts) : null;
    const defect = shapeDefect(shape) ?? vectorsDefect(shape, values!);
    if (defect !== null) throw corrupt(defect);
    return new MemoryVectorFile(shape, values!, sizeBytes, checksum);
  }

  async buildIndex(options: BuildIndexOptions): Promise<BuildReport> {
    const { type, metric, vectors, path, params, signal } = options;
    assert(vectors instanceof MemoryVectorFile, 'the vectors belong to this kernel');
    readBuildParams(type, params, vectors.dim);
    checkIndexMetric(type, metric, vectors);
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
    const metric = KERNEL_METRICS.find((candidate) => candidate === head['metric']);
    if (type === undefined || metric === undefined) throw corrupt('the index has an unknown type or metric');
    if (head['rowCount'] !== vectors.rowCount || head['checksum'] !== vectors.checksum)
      throw corrupt('the index was built over other vectors');
    return new MemoryIndex(type, metric, vectors, sizeBytes);
  }

  createBlock({ capacity, ...shape }: VectorShape & { readonly capacity: number }): GrowingBlock {
    const defect = shapeDefect(shape);
    assert(defect === null, defect ?? '');
    return new MemoryBlock(shape, capacity);
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

function valuesOf(shape: VectorShape, parts: readonly Uint8Array[]): VectorValues {
  const wanted = shape.format === 'sparse' ? 3 : 1;
  if (parts.length !== wanted) throw corrupt(`${parts.length} parts instead of ${wanted}`);
  if (shape.format === 'sparse') {
    const [offsets, indices, values] = parts;
    return {
      offsets: viewAs(Uint32Array, offsets!),
      indices: viewAs(Uint32Array, indices!),
      values: viewAs(Float32Array, values!),
    };
  }
  const out = newDenseValues(shape, parts[0]!.byteLength / rowBytes(shape));
  bytesOf(out).set(parts[0]!);
  return out;
}

function corrupt(message: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', message);
}
