import { FIXED_ARRAYS, isFixedType } from '../columns/column-shape.ts';
import { MishardsError } from '../errors/index.ts';
import {
  checkIndex,
  Int64Terms,
  isArrayCast,
  JSON_CASTS,
  JsonIndex,
  jsonElementType,
  NumberTerms,
  ORDERED_TYPES,
  type OrderedType,
  PostingIndex,
  Postings,
  TextTerms,
  type JsonTarget,
  type Terms,
} from '../filter/index.ts';
import type { FileSystem, Turns } from '../host/index.ts';
import type { SegmentId } from '../schema/index.ts';
import { crc32c } from '../util/crc32c.ts';
import { JsonFields } from '../util/json-fields.ts';
import { decodePacket, encodePacket, type Packet } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';

/*
 * A file of a scalar index: 'MSHDSIX1', u32 CRC-32C of the packet, u32 0, then a packet: what it is the index of, and as parts
 * the known rows (empty = all), the counts, the lists, the dense terms, the bitmaps, the values, and for texts their bytes.
 */
const MAGIC = new TextEncoder().encode('MSHDSIX1');
const HEADER_BYTES = 16;
const VERSION = 1;
/** Read and summed in one go. */
const CHUNK_BYTES = 2 ** 20;

/** What a segment's file must be the index of. */
export interface ScalarIndexOwner {
  readonly segmentId: SegmentId;
  readonly fieldId: number;
  readonly rowCount: number;
}

/** An index with what tells its values' type. */
export interface StoredIndex {
  /** Of the values, or of the elements of an array. */
  readonly type: OrderedType;
  readonly isArray: boolean;
  /** Of an index on a JSON field, which has `type` and `isArray` from its cast. */
  readonly json: { readonly target: JsonTarget; readonly isExact: boolean } | null;
  readonly index: PostingIndex;
}

export async function encodeScalarIndex(
  owner: ScalarIndexOwner,
  stored: StoredIndex,
  turns: Turns,
): Promise<Uint8Array> {
  const { terms, known, postings } = stored.index;
  const { countBefore, lists, dense, bitmaps } = postings.parts;
  const values = terms.kind === 'text' ? [terms.offsets, terms.bytes] : [terms.values];
  const { type, isArray, json } = stored;
  const packet = encodePacket({
    head: {
      ...owner,
      version: VERSION,
      type,
      isArray,
      isAllKnown: known === null,
      json: json === null ? null : { path: json.target.path, cast: json.target.cast, isExact: json.isExact },
    },
    parts: [known ?? new Uint8Array(0), countBefore, lists, dense, bitmaps, ...values].map(bytesOf),
  });
  const bytes = new Uint8Array(HEADER_BYTES + packet.byteLength);
  bytes.set(MAGIC);
  bytes.set(packet, HEADER_BYTES);
  let crc = 0;
  for (let at = HEADER_BYTES; at < bytes.byteLength; at += CHUNK_BYTES) {
    crc = crc32c(bytes.subarray(at, at + CHUNK_BYTES), crc);
    if (turns.isOver) await turns.next();
  }
  new DataView(bytes.buffer).setUint32(MAGIC.byteLength, crc, true);
  return bytes;
}

/** Reads and checks a file. `CORRUPT_DATA` for whatever `encodeScalarIndex` would not have made, `NOT_SUPPORTED` for a newer one. */
export async function readScalarIndex(
  files: FileSystem,
  path: string,
  owner: ScalarIndexOwner,
  turns: Turns,
): Promise<StoredIndex & { readonly content: PostingIndex | JsonIndex }> {
  const packet = decodePacket(await readPacket(files, path));
  const fields = new JsonFields('scalar index', packet.head);
  const version = fields.count('version');
  if (version > VERSION)
    throw new MishardsError(
      'NOT_SUPPORTED',
      `the scalar index has format ${version}, this version reads up to ${VERSION}; upgrade this node`,
    );
  const head = readHead(fields);
  for (const [name, wanted] of Object.entries(owner))
    if (fields.raw[name] !== wanted)
      throw corrupt(`it has ${name} ${String(fields.raw[name])}, not ${wanted}`);
  const { terms, postings, known } = partsOf(packet, head, owner.rowCount);
  await checkIndex({ terms, postings: postings.parts, known }, turns);
  const { fieldId } = owner;
  const index = new PostingIndex(fieldId, { terms, postings, known, isArray: head.isArray });
  const content =
    head.json === null ? index : new JsonIndex(fieldId, head.json.target, index, head.json.isExact);
  return { type: head.type, isArray: head.isArray, json: head.json, index, content };
}

interface Head extends Omit<StoredIndex, 'index'> {
  readonly isAllKnown: boolean;
}

function readHead(fields: JsonFields): Head {
  const json = fields.nullable('json', (name) => fields.object(name, readJson));
  const head = {
    type: fields.oneOf('type', ORDERED_TYPES),
    isArray: fields.flag('isArray'),
    isAllKnown: fields.flag('isAllKnown'),
    json,
  };
  if (json !== null) {
    const { cast } = json.target;
    if (jsonElementType(cast) !== head.type || isArrayCast(cast) !== head.isArray)
      throw corrupt(`it holds ${head.type} for ${cast}`);
  }
  return head;
}

function readJson(fields: JsonFields): NonNullable<Head['json']> {
  const target = { path: fields.texts('path'), cast: fields.oneOf('cast', JSON_CASTS) };
  return { target, isExact: fields.flag('isExact') };
}

/** The whole file in one buffer, its checksum compared. */
async function readPacket(files: FileSystem, path: string): Promise<Uint8Array> {
  const { sizeBytes } = await files.stat(path);
  const bytes = new Uint8Array(sizeBytes);
  let crc = 0;
  for (let at = 0; at < sizeBytes;) {
    const length = at === 0 ? HEADER_BYTES : CHUNK_BYTES;
    const chunk = await files.readRange(path, at, Math.min(length, sizeBytes - at));
    if (chunk.byteLength === 0) throw corrupt('it became shorter');
    bytes.set(chunk, at);
    if (at >= HEADER_BYTES) crc = crc32c(chunk, crc);
    at += chunk.byteLength;
  }
  if (sizeBytes < HEADER_BYTES || MAGIC.some((byte, index) => bytes[index] !== byte))
    throw corrupt('it does not begin as one');
  const view = new DataView(bytes.buffer);
  if (view.getUint32(8, true) !== crc || view.getUint32(12, true) !== 0)
    throw corrupt('its checksum does not fit its content');
  return bytes.subarray(HEADER_BYTES);
}

function partsOf(
  { parts }: Packet,
  { type, isAllKnown }: Head,
  rowCount: number,
): { readonly terms: Terms; readonly postings: Postings; readonly known: Uint8Array | null } {
  const wanted = type === 'VarChar' ? 7 : 6;
  if (parts.length !== wanted) throw corrupt(`it has ${parts.length} parts instead of ${wanted}`);
  const [known, countBefore, lists, dense, bitmaps, values, texts] = parts as [
    ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array],
    Uint8Array | undefined,
  ];
  if (isAllKnown && known.byteLength > 0) throw corrupt('it has rows without a value and has none');
  const postings = {
    rowCount,
    countBefore: viewAs(Uint32Array, countBefore),
    lists: viewAs(Uint32Array, lists),
    dense: viewAs(Uint32Array, dense),
    bitmaps,
  };
  const isCounted = postings.countBefore.length > 0;
  if (!isCounted || postings.dense.some((term) => term + 1 >= postings.countBefore.length))
    throw corrupt('it has bitmaps of terms it does not have');
  return {
    terms: termsOf(type, values, texts),
    postings: new Postings(postings),
    known: isAllKnown ? null : known,
  };
}

function termsOf(type: OrderedType, values: Uint8Array, texts: Uint8Array | undefined): Terms {
  if (type === 'VarChar') {
    const offsets = viewAs(Int32Array, values);
    if (offsets.length === 0) throw corrupt('its texts have no offsets');
    return new TextTerms(offsets, texts!);
  }
  if (type === 'Int64' || type === 'Timestamptz') return new Int64Terms(viewAs(BigInt64Array, values));
  if (!isFixedType(type)) throw corrupt(`${type} has no order`);
  return new NumberTerms(viewAs(FIXED_ARRAYS[type] as typeof Float64Array, values));
}

function corrupt(problem: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', `the scalar index is damaged: ${problem}`);
}
