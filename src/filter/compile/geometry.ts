import { MishardsError } from '../../errors/index.ts';
import {
  distanceTest,
  parseWkt,
  relationTest,
  RELATIONS,
  typeOf,
  validityTest,
  type Geometry,
  type GeometryTest,
} from '../../geometry/index.ts';
import type { CallNode } from '../ast.ts';
import { filterError, quoted } from '../filter-error.ts';
import { isNumeric } from '../filter-value.ts';
import type { GeometryPredicate } from '../plan.ts';
import { describe, type TypedNode } from './typed.ts';

/** `st_…(field, 'WKT')`, `st_dwithin(field, 'POINT (…)', meters)` and `st_isvalid(field)`. */
export function compileGeometry(
  node: CallNode,
  field: TypedNode,
  rest: readonly TypedNode[],
): GeometryPredicate {
  if (field.typed.kind !== 'geometry') {
    throw filterError(node.at, `${node.name} takes a Geometry field, not ${describe(field)}`);
  }
  return { kind: 'geometry', fieldId: field.typed.field.id, test: testOf(node, rest) };
}

function testOf(node: CallNode, [other, distance]: readonly TypedNode[]): GeometryTest {
  if (other === undefined) return validityTest;
  const geometry = geometryOf(node, other);
  if (distance !== undefined) return distanceTest(pointOf(node, geometry), metersOf(node, distance));
  const relation = RELATIONS.find((name) => node.name === `st_${name}`)!;
  return relationTest(relation, geometry);
}

function geometryOf(node: CallNode, argument: TypedNode): Geometry {
  const { typed } = argument;
  if (typed.kind !== 'constant' || typeof typed.value !== 'string') {
    throw filterError(node.at, `${node.name} takes a geometry as WKT in quotes, not ${describe(argument)}`);
  }
  try {
    return parseWkt(typed.value);
  } catch (error) {
    if (!(error instanceof MishardsError)) throw error;
    throw filterError(argument.node.at, error.message);
  }
}

function pointOf(node: CallNode, geometry: Geometry): Geometry {
  if (typeOf(geometry) === 'Point' && !geometry.isEmpty()) return geometry;
  throw filterError(node.at, `${node.name} measures from a POINT, not from a ${typeOf(geometry)}`);
}

function metersOf(node: CallNode, argument: TypedNode): number {
  const { typed } = argument;
  if (typed.kind === 'constant' && isNumeric(typed.value) && typed.value >= 0) return Number(typed.value);
  const shown = typed.kind === 'constant' ? quoted(String(typed.value)) : describe(argument);
  throw filterError(node.at, `${node.name} takes a distance in meters, 0 or more, not ${shown}`);
}
