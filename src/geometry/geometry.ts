import type { Geometry, Polygon } from './jts.ts';

/** The types of OGC's simple features, at the number that WKB gives them. */
export const GEOMETRY_TYPES = [
  null,
  'Point',
  'LineString',
  'Polygon',
  'MultiPoint',
  'MultiLineString',
  'MultiPolygon',
  'GeometryCollection',
] as const;
export type GeometryType = Exclude<(typeof GEOMETRY_TYPES)[number], null>;

/** Collections within collections; deeper ones are refused. */
export const NESTING_MAX = 32;

export function typeOf(geometry: Geometry): GeometryType {
  return geometry.getGeometryType() as GeometryType;
}

export function partsOf(geometry: Geometry): readonly Geometry[] {
  return Array.from({ length: geometry.getNumGeometries() }, (_, index) => geometry.getGeometryN(index));
}

export function isPolygon(geometry: Geometry): geometry is Polygon {
  return geometry.getGeometryType() === 'Polygon';
}

/** The outer ring and then the holes; none of an empty polygon. */
export function ringsOf(polygon: Polygon): readonly Geometry[] {
  if (polygon.isEmpty()) return [];
  const holes = Array.from({ length: polygon.getNumInteriorRing() }, (_, index) =>
    polygon.getInteriorRingN(index),
  );
  return [polygon.getExteriorRing(), ...holes];
}
