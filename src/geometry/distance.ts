import type { BoundsTest, GeometryBounds } from './bounds.ts';

const EARTH_RADIUS_M = 6_371_000;
const METERS_PER_DEGREE = 111_320;
/** More than what rounding adds to an angle, also near the antipode, where it adds most. */
const SLACK = 1e-7;
const SLACK_DEGREES = 1e-9;

/** Meters along the sphere between two points in degrees (longitude, latitude), by the haversine formula. */
export function sphereDistance(x1: number, y1: number, x2: number, y2: number): number {
  const sinY = Math.sin(radians(y2 - y1) / 2);
  const sinX = Math.sin(radians(x2 - x1) / 2);
  const chord = sinY * sinY + Math.cos(radians(y1)) * Math.cos(radians(y2)) * sinX * sinX;
  return 2 * EARTH_RADIUS_M * Math.atan2(Math.sqrt(chord), Math.sqrt(1 - chord));
}

/** About how many meters a degree in the plane is near a latitude, in no direction in particular, as Milvus reckons it. */
export function metersPerDegree(latitude: number): number {
  return METERS_PER_DEGREE * Math.sqrt((1 + Math.cos(radians(latitude)) ** 2) / 2);
}

/** In degrees of the plane; 0 inside. */
export function distanceToBounds({ lowX, lowY, highX, highY }: GeometryBounds, x: number, y: number): number {
  return Math.hypot(Math.max(lowX - x, 0, x - highX), Math.max(lowY - y, 0, y - highY));
}

/** Where geometries within `meters` of a point may lie, whether points, measured along the sphere, or others, in the plane. */
export function distanceReach(x: number, y: number, meters: number): BoundsTest {
  const degreesMax = widened(meters / metersPerDegree(y));
  const isOnCap = capReach(x, y, widened(degrees(meters / EARTH_RADIUS_M)));
  return (within) => distanceToBounds(within, x, y) <= degreesMax || isOnCap(within);
}

/**
 * Points on the sphere up to `angle` from one; longitudes go around. Beyond the usual degrees the formula goes on, but no
 * longer as on a sphere: bounds that reach there are not excluded.
 */
function capReach(x: number, y: number, angle: number): BoundsTest {
  const isUsual = Math.abs(x) <= 360 && Math.abs(y) <= 90;
  if (!isUsual || angle >= 180) return () => true;
  const hasPole = Math.abs(y) + angle >= 90;
  const sideways = Math.sin(radians(angle)) / Math.cos(radians(y));
  const longitudeMax = hasPole ? 180 : widened(degrees(Math.asin(Math.min(sideways, 1))));
  return ({ lowX, lowY, highX, highY }) => {
    if (lowX < -360 || highX > 360 || lowY < -90 || highY > 90) return true;
    if (Math.max(lowY - y, y - highY) > angle) return false;
    const eastward = (x - lowX + 720) % 360;
    const width = highX - lowX;
    return eastward <= width || Math.min(eastward - width, 360 - eastward) <= longitudeMax;
  };
}

function widened(angle: number): number {
  return angle * (1 + SLACK) + SLACK_DEGREES;
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
