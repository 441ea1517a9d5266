import { Footer, type FileBlock } from 'apache-arrow/ipc/metadata/file';
import { Message, type RecordBatch } from 'apache-arrow/ipc/metadata/message';
import type { Schema } from 'apache-arrow/schema';
import { MishardsError } from '../../errors/index.ts';
import type { FileSystem } from '../../host/index.ts';
import { bytesOf } from '../../util/typed-views.ts';
import { countParts, type ArrowNode, type EncodedColumn } from './arrow-column.ts';
import { corrupt, readArrowFileEnd } from './arrow-file.ts';
import { storedFieldsOf, type StoredField, type StoredRole } from './arrow-schema.ts';

/** Before a message: the mark of continuation and its length. */
const FRAME_BYTES = 8;

interface StoredColumn {
  readonly field: StoredField;
  readonly nodes: readonly ArrowNode[];
  readonly regions: readonly { readonly offset: number; readonly length: number }[];
}

/**
 * The columns of a segment's Arrow file, each read when it is asked for. Only the footer and the head of the record batch
 * are read at once. The file must have been verified.
 */
export class ArrowFileReader {
  readonly rowCount: number;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #files: FileSystem;
  readonly #path: string;
  readonly #bodyOffset: number;
  readonly #columns: readonly StoredColumn[];

  private constructor(
    files: FileSystem,
    path: string,
    parsed: {
      readonly rowCount: number;
      readonly metadata: ReadonlyMap<string, string>;
      readonly bodyOffset: number;
      readonly columns: readonly StoredColumn[];
    },
  ) {
    this.#files = files;
    this.#path = path;
    this.rowCount = parsed.rowCount;
    this.metadata = parsed.metadata;
    this.#bodyOffset = parsed.bodyOffset;
    this.#columns = parsed.columns;
  }

  static async open(files: FileSystem, path: string): Promise<ArrowFileReader> {
    const end = await readArrowFileEnd(files, path);
    const footerBytes = await files.readRange(path, end.footerOffset, end.footerBytes);
    const { schema, block } = parsed('footer', () => parseFooter(footerBytes));
    checkBlock(block, end.footerOffset);
    const framed = await files.readRange(path, block.offset, block.metaDataLength);
    const batch = parsed('record batch', () => parseBatch(framed.subarray(FRAME_BYTES)));
    return new ArrowFileReader(files, path, {
      rowCount: batch.length,
      metadata: schema.metadata,
      bodyOffset: block.offset + block.metaDataLength,
      columns: columnsOf(storedFieldsOf(schema), batch, block.bodyLength),
    });
  }

  get fields(): readonly StoredField[] {
    return this.#columns.map((column) => column.field);
  }

  find(role: StoredRole, fieldId: number): StoredField | undefined {
    return this.fields.find((field) => field.role === role && field.fieldId === fieldId);
  }

  /** As `find`, for a column that must be there: `CORRUPT_DATA` when it is not. */
  require(role: StoredRole, fieldId: number): StoredField {
    const field = this.find(role, fieldId);
    if (field === undefined) throw corrupt(`it has no ${role} column of field ${fieldId}`);
    return field;
  }

  /** The buffers of a column of this file, in one read. */
  async read(field: StoredField): Promise<EncodedColumn> {
    const column = this.#columns.find((candidate) => candidate.field === field);
    if (column === undefined) throw corrupt(`it has no column ${field.name}`);
    const { nodes, regions } = column;
    const start = regions[0]!.offset;
    const end = regions.at(-1)!.offset + regions.at(-1)!.length;
    // A plain array, because a `Buffer` would be shared by its `slice`.
    const bytes = bytesOf(await this.#files.readRange(this.#path, this.#bodyOffset + start, end - start));
    if (bytes.byteLength !== end - start) throw corrupt(`column ${field.name} is cut`);
    const buffers = regions.map((region) =>
      bytes.subarray(region.offset - start, region.offset - start + region.length),
    );
    return { nodes, buffers };
  }
}

function parseFooter(bytes: Uint8Array): { readonly schema: Schema; readonly block: FileBlock } {
  const footer = Footer.decode(bytes);
  const block = footer.getRecordBatch(0);
  if (block === null || footer.numRecordBatches !== 1 || footer.numDictionaries !== 0)
    throw corrupt(`it has ${footer.numRecordBatches} record batches instead of 1`);
  return { schema: footer.schema, block };
}

function parseBatch(bytes: Uint8Array): RecordBatch {
  const message = Message.decode(bytes);
  if (!message.isRecordBatch()) throw corrupt('its block is no record batch');
  return message.header();
}

/** The block lies before the footer: nothing is allocated for more than the file has. */
function checkBlock({ offset, metaDataLength, bodyLength }: FileBlock, footerOffset: number): void {
  const isWithin = offset >= 0 && metaDataLength >= FRAME_BYTES && bodyLength >= 0;
  if (!isWithin || offset + metaDataLength + bodyLength > footerOffset)
    throw corrupt(`its record batch at ${offset} is out of bounds`);
}

/** The parser of Arrow's metadata throws whatever it stumbles over. */
function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MishardsError) throw error;
    throw new MishardsError('CORRUPT_DATA', `the file is damaged: its ${what} cannot be read`, {
      cause: error,
    });
  }
}

/** Which nodes and buffers of the batch are whose, by walking the fields in their order. */
function columnsOf(
  fields: readonly StoredField[],
  batch: RecordBatch,
  bodyBytes: number,
): readonly StoredColumn[] {
  let node = 0;
  let region = 0;
  const columns = fields.map((field) => {
    const counts = countParts(field);
    const nodes = batch.nodes.slice(node, (node += counts.nodes));
    const regions = batch.buffers.slice(region, (region += counts.buffers));
    if (nodes[0]?.length !== batch.length) throw corrupt(`column ${field.name} has another number of rows`);
    return { field, nodes, regions };
  });
  if (node !== batch.nodes.length || region !== batch.buffers.length)
    throw corrupt('its record batch does not fit its schema');
  let previousEnd = 0;
  for (const { offset, length } of batch.buffers) {
    if (offset < previousEnd || length < 0 || offset + length > bodyBytes)
      throw corrupt(`a buffer at ${offset} is out of bounds`);
    previousEnd = offset + length;
  }
  return columns;
}
