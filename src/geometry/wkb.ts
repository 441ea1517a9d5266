import { GEOMETRY_TYPES, isPolygon, NESTING_MAX, partsOf, ringsOf, typeOf } from './geometry.ts';
import { geometryError } from './geometry-error.ts';
import { coordinate, factory, type Coordinate, type Geometry } from './jts.ts';

const LITTLE_ENDIAN = 1;
const HEAD_BYTES = 5;
const COORDINATE_BYTES = 16;
/** Flags of the extended format: heights, measures and a reference system. */
const EXTENSIONS = 0xe000_0000;

/** Well-Known Binary, little-endian (OGC 06-103r4, section 8). An empty point has coordinates that are not numbers. */
export function encodeWkb(geometry: Geometry): Uint8Array {
  const bytes = new Uint8Array(sizeOf(geometry));
  new WkbWriter(bytes).geometry(geometry);
  return bytes;
}

/**
 * The reverse, of either byte order. Throws `PARAMETER_INVALID` where the bytes are no geometry in the plane, end too early or
 * too late, or have coordinates that are not finite.
 */
export function decodeWkb(bytes: Uint8Array): Geometry {
  const reader = new WkbReader(bytes);
  const geometry = reader.geometry(0);
  if (reader.at !== bytes.byteLength) {
    throw geometryError(`invalid WKB: ${bytes.byteLength - reader.at} bytes follow the geometry`);
  }
  return geometry;
}

function sizeOf(geometry: Geometry): number {
  const lineBytes = (line: Geometry): number => 4 + line.getCoordinates().length * COORDINATE_BYTES;
  switch (typeOf(geometry)) {
    case 'Point':
      return HEAD_BYTES + COORDINATE_BYTES;
    case 'LineString':
      return HEAD_BYTES + lineBytes(geometry);
    case 'Polygon':
      return isPolygon(geometry) ? sum(HEAD_BYTES + 4, ringsOf(geometry).map(lineBytes)) : 0;
    default:
      return sum(HEAD_BYTES + 4, partsOf(geometry).map(sizeOf));
  }
}

function sum(start: number, sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, start);
}

class WkbWriter {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  geometry(geometry: Geometry): void {
    const type = typeOf(geometry);
    this.#view.setUint8(this.#at++, LITTLE_ENDIAN);
    this.#count(GEOMETRY_TYPES.indexOf(type));
    if (type === 'Point') this.#point(geometry);
    else if (type === 'LineString') this.#line(geometry);
    else if (isPolygon(geometry)) this.#each(ringsOf(geometry), (ring) => this.#line(ring));
    else this.#each(partsOf(geometry), (part) => this.geometry(part));
  }

  #point(point: Geometry): void {
    const [{ x, y } = { x: NaN, y: NaN }] = point.getCoordinates();
    this.#number(x);
    this.#number(y);
  }

  #line(line: Geometry): void {
    this.#each(line.getCoordinates(), ({ x, y }) => {
      this.#number(x);
      this.#number(y);
    });
  }

  #each<T>(items: readonly T[], write: (item: T) => void): void {
    this.#count(items.length);
    items.forEach(write);
  }

  #count(count: number): void {
    this.#view.setUint32(this.#at, count, true);
    this.#at += 4;
  }

  #number(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }
}

class WkbReader {
  readonly #view: DataView;
  #littleEndian = true;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  geometry(depth: number): Geometry {
    if (depth > NESTING_MAX) throw geometryError(`invalid WKB: it nests deeper than ${NESTING_MAX} levels`);
    const type = this.#head();
    const parts = (only: string | null): Geometry[] => this.#parts(depth + 1, only);
    switch (type) {
      case 'Point':
        return this.#point();
      case 'LineString':
        return checked(() => factory.createLineString(this.#coordinates()));
      case 'Polygon':
        return this.#polygon();
      case 'MultiPoint':
        return factory.createMultiPoint(parts('Point'));
      case 'MultiLineString':
        return factory.createMultiLineString(parts('LineString'));
      case 'MultiPolygon':
        return factory.createMultiPolygon(parts('Polygon'));
      case 'GeometryCollection':
        return factory.createGeometryCollection(parts(null));
    }
  }

  #head() {
    const order = this.#take(1, (at) => this.#view.getUint8(at));
    if (order > LITTLE_ENDIAN) throw geometryError(`invalid WKB: byte order ${order} is neither 0 nor 1`);
    this.#littleEndian = order === LITTLE_ENDIAN;
    const code = this.#take(4, (at) => this.#view.getUint32(at, this.#littleEndian));
    const type = GEOMETRY_TYPES[code] ?? null;
    if (type !== null) return type;
    const isExtended = (code & EXTENSIONS) !== 0 || code >= 1_000;
    throw geometryError(
      isExtended
        ? 'invalid WKB: only two dimensions are supported, without Z, M and SRID'
        : `invalid WKB: geometry type ${code} is not one of 1 to ${GEOMETRY_TYPES.length - 1}`,
    );
  }

  #point(): Geometry {
    const [x, y] = [this.#number(), this.#number()];
    if (Number.isNaN(x) && Number.isNaN(y)) return factory.createPoint();
    return factory.createPoint(finite(x, y));
  }

  #polygon(): Geometry {
    const rings = this.#each(4, () => checked(() => factory.createLinearRing(this.#coordinates())));
    const [shell = factory.createLinearRing([]), ...holes] = rings;
    return checked(() => factory.createPolygon(shell, holes));
  }

  #parts(depth: number, only: string | null): Geometry[] {
    return this.#each(HEAD_BYTES, () => {
      const part = this.geometry(depth);
      if (only === null || typeOf(part) === only) return part;
      throw geometryError(`invalid WKB: a ${typeOf(part)} is no part of a Multi${only}`);
    });
  }

  #coordinates(): Coordinate[] {
    return this.#each(COORDINATE_BYTES, () => finite(this.#number(), this.#number()));
  }

  /** A count that the bytes left cannot hold is refused before room is made for it. */
  #each<T>(leastBytes: number, read: () => T): T[] {
    const count = this.#take(4, (at) => this.#view.getUint32(at, this.#littleEndian));
    if (count * leastBytes > this.#view.byteLength - this.at) throw tooShort();
    return Array.from({ length: count }, read);
  }

  #number(): number {
    return this.#take(8, (at) => this.#view.getFloat64(at, this.#littleEndian));
  }

  #take(bytes: number, read: (at: number) => number): number {
    if (this.at + bytes > this.#view.byteLength) throw tooShort();
    const value = read(this.at);
    this.at += bytes;
    return value;
  }
}

function finite(x: number, y: number): Coordinate {
  if (Number.isFinite(x) && Number.isFinite(y)) return coordinate(x, y);
  throw geometryError('invalid WKB: a coordinate is not a finite number');
}

/** jsts refuses rings that are open or too short. */
function checked(make: () => Geometry): Geometry {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'IllegalArgumentException') throw error;
    throw geometryError(`invalid WKB: ${error.message.toLowerCase()}`, error);
  }
}

function tooShort() {
  return geometryError('invalid WKB: it ends before its geometry does');
}
