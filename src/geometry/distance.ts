const EARTH_RADIUS_M = 6_371_000;
const METERS_PER_DEGREE = 111_320;

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

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
