import { bitAt, clearBit, newBitmap, setBit } from '../../columns/bitmap.ts';
import { StoredGeometries } from '../../geometry/index.ts';
import type { GeometryPredicate } from '../plan.ts';
import { columnOf, type Rows } from './operand.ts';
import { truthOf, unknownTruth, type Truth } from './truth.ts';

export function evaluateGeometry({ fieldId, test }: GeometryPredicate, rows: Rows): Truth {
  const column = columnOf(rows, fieldId, 'Geometry');
  if (column === null) return unknownTruth(rows.count);
  const { offsets, bytes, validity } = column;
  const stored = new StoredGeometries(bytes);
  const isTrue = newBitmap(rows.count, 0);
  let known: Uint8Array | null = null;
  for (let row = 0; row < rows.count; row++) {
    if (validity !== null && !bitAt(validity, row)) continue;
    if (rows.wanted !== null && !bitAt(rows.wanted, row)) continue;
    const answer = test.ask(stored, bytes, offsets[row]!, offsets[row + 1]!);
    if (answer === true) setBit(isTrue, row);
    if (answer !== null) continue;
    known ??= validity?.slice() ?? newBitmap(rows.count, 1);
    clearBit(known, row);
  }
  return truthOf(isTrue, known ?? validity);
}
