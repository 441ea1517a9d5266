import { bitAt, newBitmap } from '../../columns/bitmap.ts';
import { canonicalNumber } from '../compile/canonical-number.ts';
import type { DynamicPredicate, JsonPredicate } from '../plan.ts';
import { evaluateDynamic, type JsonRow } from './dynamic.ts';
import { findJson, MISSING } from './json-scan.ts';
import { isNumberBetween, testJson, type Answer } from './json-test.ts';
import { columnOf, type Rows } from './operand.ts';
import { constantTruth, unknownTruth, type Truth } from './truth.ts';

/** A key that is missing or null makes everything unknown but `exists`, which is false of it. */
export function evaluateJson({ source, test }: JsonPredicate, rows: Rows): Truth {
  const column = columnOf(rows, source.fieldId, 'JSON');
  const absent: Answer = test.kind === 'exists' ? false : null;
  if (column === null) return absent === null ? unknownTruth(rows.count) : constantTruth(false, rows.count);
  const { bytes, offsets, validity } = column;
  return rowByRow(rows, (row) => {
    if (validity !== null && !bitAt(validity, row)) return absent;
    const end = offsets[row + 1]!;
    const at = findJson(bytes, offsets[row]!, end, source.path);
    return at === MISSING ? absent : testJson(test, bytes, at, end);
  });
}

/** Arithmetic on what JSON fields hold. */
export function evaluateDynamicTest({ expression, test }: DynamicPredicate, rows: Rows): Truth {
  const columns = new Map<number, ReturnType<typeof columnOf<'JSON'>>>();
  let current = 0;
  const rowOf: JsonRow = (fieldId) => {
    if (!columns.has(fieldId)) columns.set(fieldId, columnOf(rows, fieldId, 'JSON'));
    const column = columns.get(fieldId)!;
    if (column === null) return null;
    const { validity } = column;
    const isValid = validity === null || bitAt(validity, current);
    return isValid ? { column, row: current } : null;
  };
  return rowByRow(rows, (row) => {
    current = row;
    const value = evaluateDynamic(expression, rowOf);
    if (value === null) return null;
    return test.kind === 'in'
      ? (test.set.numbers?.has(canonicalNumber(value)) ?? false)
      : isNumberBetween(test.low, test.high, value);
  });
}

/** Rows that are not wanted are left unknown: nothing is read of them. */
function rowByRow(rows: Rows, answer: (row: number) => Answer): Truth {
  const isTrue = newBitmap(rows.count, 0);
  const known = newBitmap(rows.count, 0);
  const { wanted } = rows;
  for (let row = 0; row < rows.count; row++) {
    if (wanted !== null && !bitAt(wanted, row)) continue;
    const given = answer(row);
    if (given === null) continue;
    known[row >>> 3]! |= 1 << (row & 7);
    if (given) isTrue[row >>> 3]! |= 1 << (row & 7);
  }
  return { isTrue, known };
}
