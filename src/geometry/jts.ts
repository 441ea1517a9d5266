import JtsLocator from 'jsts/org/locationtech/jts/algorithm/locate/IndexedPointInAreaLocator.js';
import JtsCoordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
import JtsFactory from 'jsts/org/locationtech/jts/geom/GeometryFactory.js';
import JtsReader from 'jsts/org/locationtech/jts/io/WKTReader.js';
import JtsWriter from 'jsts/org/locationtech/jts/io/WKTWriter.js';
import JtsDistance from 'jsts/org/locationtech/jts/operation/distance/DistanceOp.js';
import JtsRelate from 'jsts/org/locationtech/jts/operation/relate/RelateOp.js';
import JtsValidity from 'jsts/org/locationtech/jts/operation/valid/IsValidOp.js';

/*
 * What is used of jsts, with types of its own: those of the package are mostly `any`. Predicates live in modules of their own,
 * because the methods that JTS has on geometries are missing unless they are patched in.
 */

export interface Coordinate {
  readonly x: number;
  readonly y: number;
}

/** A planar geometry: points, lines, polygons and collections of them, with finite coordinates. */
export interface Geometry {
  getGeometryType(): string;
  isEmpty(): boolean;
  getNumGeometries(): number;
  getGeometryN(index: number): Geometry;
  getCoordinates(): readonly Coordinate[];
}

export interface Polygon extends Geometry {
  getExteriorRing(): Geometry;
  getNumInteriorRing(): number;
  getInteriorRingN(index: number): Geometry;
}

interface Factory {
  createPoint(coordinate?: Coordinate): Geometry;
  createLineString(coordinates: readonly Coordinate[]): Geometry;
  createLinearRing(coordinates: readonly Coordinate[]): Geometry;
  createPolygon(shell: Geometry, holes: readonly Geometry[]): Geometry;
  createMultiPoint(parts: readonly Geometry[]): Geometry;
  createMultiLineString(parts: readonly Geometry[]): Geometry;
  createMultiPolygon(parts: readonly Geometry[]): Geometry;
  createGeometryCollection(parts: readonly Geometry[]): Geometry;
}

type Relate = (a: Geometry, b: Geometry) => boolean;

/** 0 inside, 1 on the boundary, 2 outside. */
type Locator = { locate(point: Coordinate): number };

/** The types of the package ask for arguments that are optional. */
const FactoryOfDefaults = JtsFactory as unknown as new () => Factory;
/** One for all: a factory holds nothing but a model of precision. */
export const factory = new FactoryOfDefaults();
const textReader: unknown = new JtsReader(factory as never);
const textWriter: unknown = new JtsWriter(factory as never);

export const wktReader = textReader as { read(text: string): Geometry };
export const wktWriter = textWriter as { write(geometry: Geometry): string };
export const relate = JtsRelate as unknown as {
  readonly [name in 'equalsTopo' | 'intersects' | 'contains' | 'overlaps' | 'touches' | 'crosses']: Relate;
};
export const planeDistance = (a: Geometry, b: Geometry): number => JtsDistance.distance(a, b) as number;
export const isValid = (geometry: Geometry): boolean => JtsValidity.isValid(geometry) as boolean;

export function coordinate(x: number, y: number): Coordinate {
  const made: unknown = new JtsCoordinate(x, y);
  return made as Coordinate;
}

export function locatorIn(area: Geometry): Locator {
  const made: unknown = new JtsLocator(area);
  return made as Locator;
}
