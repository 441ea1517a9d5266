import { RELATIONS } from '../../src/geometry/index.ts';
import type { Random } from '../../src/host/index.ts';

/*
 * Random geometries as text, and conditions on them. Coordinates come from so few that sides and corners often meet; some of them
 * are no numbers of 32 bits, some far away. Among the shapes are empty ones and such as cross themselves.
 */

/** Where coordinates come from. */
export interface Plane {
  x(random: Random): number;
  y(random: Random): number;
}

/** Tenths of a small square, now and then from far outside. */
export const SMALL_PLANE: Plane = { x: nearby, y: nearby };

/** Degrees, with the poles and both ends of the longitudes, and beyond. */
export const GLOBE: Plane = {
  x: (random) => pick(random, [-180, -179.95, 0, 179.95, 180, 190, 359.9, random.next() * 360 - 180]),
  y: (random) => pick(random, [-90, 0, 60, 89.95, 90, 95, random.next() * 180 - 90]),
};

function nearby(random: Random): number {
  return random.below(200) === 0 ? pick(random, [-1e300, 1e300, 3e39]) : random.below(60) / 10;
}

export function randomWkt(random: Random, plane: Plane): string {
  const at = (): string => `${plane.x(random)} ${plane.y(random)}`;
  switch (random.below(9)) {
    case 0:
      return pick(random, ['POINT EMPTY', 'POLYGON EMPTY', 'GEOMETRYCOLLECTION EMPTY']);
    case 1:
      return `LINESTRING (${at()}, ${at()})`;
    case 2:
      return `MULTIPOINT ((${at()}), (${at()}))`;
    case 3: {
      const corner = at();
      return `POLYGON ((${corner}, ${at()}, ${at()}, ${at()}, ${corner}))`;
    }
    case 4:
      return `GEOMETRYCOLLECTION (POINT (${at()}), LINESTRING (${at()}, ${at()}))`;
    case 5:
    case 6:
      return randomRectangle(random, plane);
    default:
      return `POINT (${at()})`;
  }
}

export function randomRectangle(random: Random, plane: Plane): string {
  const [x1, x2] = [plane.x(random), plane.x(random)];
  const [y1, y2] = [plane.y(random), plane.y(random)];
  return `POLYGON ((${x1} ${y1}, ${x2} ${y1}, ${x2} ${y2}, ${x1} ${y2}, ${x1} ${y1}))`;
}

/** On a Geometry field `place` and an Int32 field `number`, up to `depth` operators deep. */
export function randomGeometryFilter(random: Random, plane: Plane, depth: number): string {
  const choice = random.below(depth > 0 ? 12 : 8);
  const deeper = (): string => `(${randomGeometryFilter(random, plane, depth - 1)})`;
  if (choice === 8) return `not ${deeper()}`;
  if (choice > 8) return `${deeper()} ${choice === 9 ? 'or' : 'and'} ${deeper()}`;
  if (choice === 0) return `number ${pick(random, ['==', '<', '!='])} ${random.below(20)}`;
  if (choice === 1) return pick(random, ['place is null', 'place is not null', 'st_isvalid(place)']);
  if (choice < 4) {
    const meters = pick(random, [0, 1, 10_000, 300_000, 9e6, 19.9e6, 20_015_086.8, 1e300]);
    return `st_dwithin(place, 'POINT (${plane.x(random)} ${plane.y(random)})', ${meters})`;
  }
  const other = random.below(2) === 0 ? randomRectangle(random, plane) : randomWkt(random, plane);
  return `st_${pick(random, RELATIONS)}(place, '${other}')`;
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}
