import { NESTING_MAX, typeOf } from './geometry.ts';
import { geometryError, quoted } from './geometry-error.ts';
import { wktReader, wktWriter, type Geometry } from './jts.ts';

const WITH_HEIGHT = /^\s*[a-z]+\s+(z|m|zm)\b/i;

/**
 * Reads Well-Known Text of the seven types of simple features in the plane. Throws `PARAMETER_INVALID` for anything else: other
 * dimensions, open rings, coordinates that are not finite, text left over. Whether rings cross themselves is not asked;
 * `isValid` tells.
 */
export function parseWkt(text: string): Geometry {
  const problem = problemOf(text);
  if (problem !== null) throw geometryError(`invalid WKT ${quoted(text)}: ${problem}`);
  let geometry: Geometry;
  try {
    geometry = wktReader.read(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw geometryError(`invalid WKT ${quoted(text)}: ${reason.toLowerCase().replace(/\.$/, '')}`, error);
  }
  if (typeOf(geometry) === ('LinearRing' as string)) {
    throw geometryError(
      `invalid WKT ${quoted(text)}: a LINEARRING is only part of a POLYGON; write LINESTRING`,
    );
  }
  const isFinite = geometry.getCoordinates().every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (!isFinite) throw geometryError(`invalid WKT ${quoted(text)}: a coordinate is not a finite number`);
  return geometry;
}

/** E.g. `POINT (30 10)`; parsing it again gives the same coordinates. */
export function formatWkt(geometry: Geometry): string {
  return wktWriter.write(geometry);
}

/** What the reader of jsts does not see itself, or only with a stack overflow. */
function problemOf(text: string): string | null {
  if (WITH_HEIGHT.test(text)) return 'only two dimensions are supported, without Z and M';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(' && ++depth > NESTING_MAX) return `it nests deeper than ${NESTING_MAX} levels`;
    if (text[at] !== ')') continue;
    if (--depth === 0 && text.slice(at + 1).trim() !== '') return 'text follows the last parenthesis';
  }
  return null;
}
