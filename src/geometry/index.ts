export { StoredGeometries } from './bounds.ts';
export { typeOf, type GeometryType } from './geometry.ts';
export type { Geometry } from './jts.ts';
export {
  distanceTest,
  relationTest,
  RELATIONS,
  validityTest,
  type GeometryTest,
  type Relation,
} from './relation.ts';
export { decodeWkb, encodeWkb } from './wkb.ts';
export { formatWkt, parseWkt } from './wkt.ts';
