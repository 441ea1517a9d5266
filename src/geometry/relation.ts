import { covers, isInside, meet, StoredGeometries, type BoundsTest, type GeometryBounds } from './bounds.ts';
import { distanceReach, distanceToBounds, metersPerDegree, sphereDistance } from './distance.ts';
import { typeOf } from './geometry.ts';
import {
  coordinate,
  isValid,
  locatorIn,
  planeDistance,
  relate,
  type Coordinate,
  type Geometry,
} from './jts.ts';
import { decodeWkb, encodeWkb } from './wkb.ts';

export const RELATIONS = [
  'equals',
  'intersects',
  'contains',
  'within',
  'overlaps',
  'touches',
  'crosses',
] as const;
/** What a row's geometry may be to another, as OGC's simple features define it: `contains` = the row contains the other. */
export type Relation = (typeof RELATIONS)[number];

export interface GeometryTest {
  /** Asks one stored geometry, `bytes[start .. end)`. null: it has no answer, because the geometry is not valid. */
  readonly ask: (stored: StoredGeometries, bytes: Uint8Array, start: number, end: number) => boolean | null;
  /** Of geometries within bounds that it excludes, and of empty ones, the answer is false. null: bounds tell nothing. */
  readonly mayPass: BoundsTest | null;
}

/** Whether rows stand in a relation to `other`. Bounds decide most rows; points in an area are looked up in an index. */
export function relationTest(relation: Relation, other: Geometry): GeometryTest {
  const bounds = boundsOf(other);
  const possible = POSSIBLE[relation];
  const locate = areaLocator(relation, other);
  const rectangle = isRectangle(other) ? bounds : null;
  const isOfInside = relation === 'within' || relation === 'intersects';
  const ask: GeometryTest['ask'] = (stored, bytes, start, end) => {
    stored.measure(start);
    // What is empty stands in none of the relations.
    if (stored.isEmpty || !possible(stored.bounds, bounds)) return false;
    if (rectangle !== null && isInside(stored.bounds, rectangle)) return isOfInside;
    if (locate !== null && stored.isPoint(start)) return locate(stored.pointX(start), stored.pointY(start));
    return answered(() => RELATE[relation](decodeWkb(bytes.subarray(start, end)), other));
  };
  return { ask, mayPass: relationReach(relation, bounds) };
}

/** What covers the other may lie anywhere around it; everything else has a point in common with it. */
function relationReach(relation: Relation, other: GeometryBounds): BoundsTest {
  const isAround = relation === 'contains' || relation === 'equals';
  return isAround ? (within) => covers(within, other) : (within) => meet(within, other);
}

/**
 * Whether rows are within `meters` of a point in degrees: along the sphere for points, and for others by their distance in the
 * plane, which is taken for meters near the point.
 */
export function distanceTest(point: Geometry, meters: number): GeometryTest {
  const [{ x, y }] = point.getCoordinates() as readonly [Coordinate];
  const degreesMax = meters / metersPerDegree(y);
  const ask: GeometryTest['ask'] = (stored, bytes, start, end) => {
    if (stored.isPoint(start))
      return sphereDistance(stored.pointX(start), stored.pointY(start), x, y) <= meters;
    stored.measure(start);
    if (distanceToBounds(stored.bounds, x, y) > degreesMax) return false;
    return answered(() => planeDistance(decodeWkb(bytes.subarray(start, end)), point) <= degreesMax);
  };
  return { ask, mayPass: distanceReach(x, y, meters) };
}

/** Whether rows keep the rules of their type, e.g. that a ring does not cross itself. */
export const validityTest: GeometryTest = {
  ask: (_stored, bytes, start, end) => isValid(decodeWkb(bytes.subarray(start, end))),
  mayPass: null,
};

const RELATE: Readonly<Record<Relation, (row: Geometry, other: Geometry) => boolean>> = {
  equals: (row, other) => relate.equalsTopo(row, other),
  intersects: (row, other) => relate.intersects(row, other),
  contains: (row, other) => relate.contains(row, other),
  within: (row, other) => relate.contains(other, row),
  overlaps: (row, other) => relate.overlaps(row, other),
  touches: (row, other) => relate.touches(row, other),
  crosses: (row, other) => relate.crosses(row, other),
};

const POSSIBLE: Readonly<Record<Relation, (row: GeometryBounds, other: GeometryBounds) => boolean>> = {
  equals: (row, other) => covers(row, other) && covers(other, row),
  intersects: meet,
  contains: covers,
  within: (row, other) => covers(other, row),
  overlaps: meet,
  touches: meet,
  crosses: meet,
};

const INSIDE = 0;
const ON_BOUNDARY = 1;

/** Points and an area: what most filters ask for. null where the general way has to be gone. */
function areaLocator(relation: Relation, other: Geometry): ((x: number, y: number) => boolean) | null {
  const type = typeOf(other);
  if ((type !== 'Polygon' && type !== 'MultiPolygon') || other.isEmpty() || !isValid(other)) return null;
  const locator = locatorIn(other);
  const locate = (x: number, y: number): number => locator.locate(coordinate(x, y));
  if (relation === 'within') return (x, y) => locate(x, y) === INSIDE;
  if (relation === 'intersects') return (x, y) => locate(x, y) <= ON_BOUNDARY;
  if (relation === 'touches') return (x, y) => locate(x, y) === ON_BOUNDARY;
  return () => false;
}

/** Whether it has the sides of its bounds, as the part of a map that is shown: what lies inside of these is inside of it. */
function isRectangle(area: Geometry): boolean {
  const corners = area.getCoordinates();
  if (typeOf(area) !== 'Polygon' || corners.length !== 5 || !isValid(area)) return false;
  return corners.slice(1).every(({ x, y }, index) => {
    const before = corners[index]!;
    return (x === before.x) !== (y === before.y);
  });
}

/** jsts throws where the rings of a geometry make no sense. */
function answered(ask: () => boolean): boolean | null {
  try {
    return ask();
  } catch (error) {
    if (
      error instanceof Error &&
      (error.name === 'TopologyException' || error.name === 'IllegalArgumentException')
    )
      return null;
    throw error;
  }
}

function boundsOf(geometry: Geometry): GeometryBounds {
  const stored = new StoredGeometries(encodeWkb(geometry));
  stored.measure(0);
  return stored.bounds;
}
