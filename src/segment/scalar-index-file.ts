import { FIXED_ARRAYS, isFixedType } from '../columns/column-shape.ts';
import { MishardsError } from '../errors/index.ts';
import {
  checkGeometryIndex,
  checkIndex,
  GeometryIndex,
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
  type FieldIndex,
  type JsonTarget,
  type Terms,
} from '../filter/index.ts';
import { BoxTree } from '../geometry/index.ts';
import type { FileSystem, Turns } from '../host/index.ts';
import type { SegmentId } from '../schema/index.ts';
import { JsonFields } from '../util/json-fields.ts';
import type { Packet } from '../util/packet.ts';
import { bytesOf, viewAs } from '../util/typed-views.ts';
import { corrupt, encodeIndexFile, readIndexFile } from './scalar-index-packet.ts';

/*
 * The packet of a scalar index: what it is the index of, and as parts the known rows (empty = all) and then, for geometries, the
 * rows and their boxes, else the counts, the lists, the dense terms, the bitmaps, the values, and for texts their bytes.
 */
const VERSION = 1;

/** What a segment's file must be the index of. */
export interface ScalarIndexOwner {
  readonly segmentId: SegmentId;
  readonly fieldId: number;
  readonly rowCount: number;
}

/** An index with what tells its values' type. */
export type StoredIndex = StoredValues | StoredBoxes;

export interface StoredValues {
  /** Of the values, or of the elements of an array. */
  readonly type: OrderedType;
  readonly isArray: boolean;
  /** Of an index on a JSON field, which has `type` and `isArray` from its cast. */
  readonly json: { readonly target: JsonTarget; readonly isExact: boolean } | null;
  readonly index: PostingIndex;
}

export interface StoredBoxes {
  readonly type: 'Geometry';
  readonly isArray: false;
  readonly json: null;
  readonly index: GeometryIndex;
}

export async function encodeScalarIndex(
  owner: ScalarIndexOwner,
  stored: StoredIndex,
  turns: Turns,
): Promise<Uint8Array> {
  const { known } = stored.index;
  const { type, isArray, json } = stored;
  const packet = {
    head: {
      ...owner,
      version: VERSION,
      type,
      isArray,
      isAllKnown: known === null,
      json: json === null ? null : { path: json.target.path, cast: json.target.cast, isExact: json.isExact },
    },
    parts: [known ?? new Uint8Array(0), ...partsToStore(stored)].map(bytesOf),
  };
  return await encodeIndexFile(packet, turns);
}

function partsToStore(stored: StoredIndex): readonly ArrayBufferView[] {
  if (stored.type === 'Geometry') return [stored.index.rows, stored.index.tree.leaves];
  const { terms, postings } = stored.index;
  const { countBefore, lists, dense, bitmaps } = postings.parts;
  const values = terms.kind === 'text' ? [terms.offsets, terms.bytes] : [terms.values];
  return [countBefore, lists, dense, bitmaps, ...values];
}

/** Reads and checks a file. `CORRUPT_DATA` for whatever `encodeScalarIndex` would not have made, `NOT_SUPPORTED` for a newer one. */
export async function readScalarIndex(
  files: FileSystem,
  path: string,
  owner: ScalarIndexOwner,
  turns: Turns,
): Promise<StoredIndex & { readonly content: FieldIndex }> {
  const packet = await readIndexFile(files, path);
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
  const { type } = head;
  if (type === 'Geometry') {
    const index = await readGeometries(packet, head, owner, turns);
    return { type, isArray: false, json: null, index, content: index };
  }
  const { fieldId, rowCount } = owner;
  const { terms, postings, known } = partsOf(packet, type, head.isAllKnown, rowCount);
  await checkIndex({ terms, postings: postings.parts, known }, turns);
  const index = new PostingIndex(fieldId, { terms, postings, known, isArray: head.isArray });
  const content =
    head.json === null ? index : new JsonIndex(fieldId, head.json.target, index, head.json.isExact);
  return { type, isArray: head.isArray, json: head.json, index, content };
}

interface Head extends Omit<StoredValues, 'index' | 'type'> {
  readonly type: StoredIndex['type'];
  readonly isAllKnown: boolean;
}

function readHead(fields: JsonFields): Head {
  const json = fields.nullable('json', (name) => fields.object(name, readJson));
  const head = {
    type: fields.oneOf('type', [...ORDERED_TYPES, 'Geometry']),
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

async function readGeometries(
  { parts }: Packet,
  { isArray, isAllKnown }: Head,
  { fieldId, rowCount }: ScalarIndexOwner,
  turns: Turns,
): Promise<GeometryIndex> {
  if (isArray) throw corrupt('it holds arrays of geometries');
  if (parts.length !== 3) throw corrupt(`it has ${parts.length} parts instead of 3`);
  const known = knownOf(parts[0]!, isAllKnown);
  const rows = viewAs(Uint32Array, parts[1]!);
  const boxes = viewAs(Float32Array, parts[2]!);
  await checkGeometryIndex({ rowCount, rows, boxes, known }, turns);
  return new GeometryIndex(fieldId, { rowCount, rows, tree: new BoxTree(boxes), known });
}

function knownOf(known: Uint8Array, isAllKnown: boolean): Uint8Array | null {
  if (!isAllKnown) return known;
  if (known.byteLength > 0) throw corrupt('it has rows without a value and has none');
  return null;
}

function partsOf(
  { parts }: Packet,
  type: OrderedType,
  isAllKnown: boolean,
  rowCount: number,
): { readonly terms: Terms; readonly postings: Postings; readonly known: Uint8Array | null } {
  const wanted = type === 'VarChar' ? 7 : 6;
  if (parts.length !== wanted) throw corrupt(`it has ${parts.length} parts instead of ${wanted}`);
  const [known, countBefore, lists, dense, bitmaps, values, texts] = parts as [
    ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array],
    Uint8Array | undefined,
  ];
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
    known: knownOf(known, isAllKnown),
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
