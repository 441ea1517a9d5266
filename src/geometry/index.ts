export { StoredGeometries, type BoundsTest, type GeometryBounds } from './bounds.ts';
export { BoxTree, NUMBERS_PER_BOX, setBox } from './box-tree.ts';
export { typeOf, type GeometryType } from './geometry.ts';
export { hilbertCode, HILBERT_SIDE } from './hilbert.ts';
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
