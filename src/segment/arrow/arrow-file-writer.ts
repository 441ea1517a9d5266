import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import type { Schema } from 'apache-arrow/schema';
import type { AppendFile, FileSystem } from '../../host/index.ts';
import { crc32c } from '../../util/crc32c.ts';
import { bytesOf } from '../../util/typed-views.ts';
import type { EncodedColumn } from './arrow-column.ts';
import { ARROW_MAGIC, BODY_ALIGNMENT, CHECK_BLOCK_BYTES, CHECK_MAGIC, TRAILER_BYTES } from './arrow-file.ts';

const CONTINUATION = -1;
const CHUNK_BYTES = 4 * 2 ** 20;

export interface ArrowFileOptions {
  readonly files: FileSystem;
  /** A file that does not exist. */
  readonly path: string;
  readonly schema: Schema;
  readonly rowCount: number;
  /** In the order of the schema's fields. */
  readonly columns: readonly EncodedColumn[];
}

/** Writes an Arrow IPC file with one record batch. It is not synced: it is on its way to the object store. */
export async function writeArrowFile(options: ArrowFileOptions): Promise<{ readonly sizeBytes: number }> {
  await using file = await options.files.openAppend(options.path);
  const writer = new ChecksummedWriter(file);
  await writer.write(padded(ARROW_MAGIC, 8));
  await writer.write(frame(Message.encode(Message.from(options.schema)), writer.sizeBytes, 8));
  const batchOffset = writer.sizeBytes;
  const buffers = options.columns.flatMap((column) => column.buffers);
  const { message, bodyBytes } = batchMessage(options, buffers);
  const framed = frame(message, batchOffset, BODY_ALIGNMENT);
  await writer.write(framed);
  for (const buffer of buffers) {
    await writer.write(buffer);
    await writer.write(new Uint8Array(align(buffer.byteLength, BODY_ALIGNMENT) - buffer.byteLength));
  }
  await writer.write(bytesOf(Int32Array.of(CONTINUATION, 0)));
  await writeEnd(writer, options.schema, new FileBlock(framed.byteLength, bodyBytes, batchOffset));
  return { sizeBytes: writer.sizeBytes };
}

function batchMessage(
  { rowCount, columns }: ArrowFileOptions,
  buffers: readonly Uint8Array[],
): { readonly message: Uint8Array; readonly bodyBytes: number } {
  const nodes = columns.flatMap((column) => column.nodes);
  let bodyBytes = 0;
  const regions = buffers.map((buffer) => {
    const region = new BufferRegion(bodyBytes, buffer.byteLength);
    bodyBytes += align(buffer.byteLength, BODY_ALIGNMENT);
    return region;
  });
  const batch = new RecordBatch(
    rowCount,
    nodes.map((node) => new FieldNode(node.length, node.nullCount)),
    regions,
    null,
  );
  return { message: Message.encode(Message.from(batch, bodyBytes)), bodyBytes };
}

/** The check block stands before the footer, so the checksum is taken over the footer before both are written. */
async function writeEnd(writer: ChecksummedWriter, schema: Schema, block: FileBlock): Promise<void> {
  const footer = Footer.encode(new Footer(schema, undefined, [block], []));
  const end = new Uint8Array(CHECK_BLOCK_BYTES + footer.byteLength + TRAILER_BYTES);
  const view = new DataView(end.buffer);
  const crcOffset = CHECK_MAGIC.byteLength;
  const trailerOffset = CHECK_BLOCK_BYTES + footer.byteLength;
  end.set(CHECK_MAGIC, 0);
  end.set(footer, CHECK_BLOCK_BYTES);
  view.setInt32(trailerOffset, footer.byteLength, true);
  end.set(ARROW_MAGIC, trailerOffset + 4);
  const before = crc32c(end.subarray(0, crcOffset), writer.crc);
  view.setUint32(crcOffset, crc32c(end.subarray(crcOffset + 4), before), true);
  await writer.write(end);
}

/** An encapsulated message at `offset` of the file, padded so that what follows begins at a multiple of `alignment`. */
function frame(message: Uint8Array, offset: number, alignment: number): Uint8Array {
  const prefixBytes = 8;
  const size = align(offset + prefixBytes + message.byteLength, alignment) - offset;
  const framed = new Uint8Array(size);
  const view = new DataView(framed.buffer);
  view.setInt32(0, CONTINUATION, true);
  view.setInt32(4, size - prefixBytes, true);
  framed.set(message, prefixBytes);
  return framed;
}

class ChecksummedWriter {
  readonly #file: AppendFile;
  crc = 0;

  constructor(file: AppendFile) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  /** In chunks, so that the checksum of a large buffer does not keep others waiting. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES);
      this.crc = crc32c(chunk, this.crc);
      await this.#file.append([chunk]);
    }
  }
}

function padded(bytes: Uint8Array, alignment: number): Uint8Array {
  const result = new Uint8Array(align(bytes.byteLength, alignment));
  result.set(bytes);
  return result;
}

function align(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}
