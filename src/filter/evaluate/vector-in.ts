import type { ValueSet } from '../plan.ts';
import { assert } from '../../util/assert.ts';
import { int64In } from './int64-kernels.ts';
import { floatsIn, integersIn } from './number-kernels.ts';
import { stringsIn } from './string-kernels.ts';
import type { Vector } from './vector.ts';

/** A bitmap of the rows whose value is in the set; of rows that are not known it means nothing. */
export function vectorIn(vector: Vector, values: ValueSet): Uint8Array {
  if (vector.kind === 'string' && values.kind === 'string') return stringsIn(vector, values.set);
  if (vector.kind === 'int64' && values.kind === 'int64') return int64In(vector.values, values.set);
  if (vector.kind === 'integer' && values.kind === 'integer') return integersIn(vector.values, values.set);
  assert(vector.kind === 'float' && values.kind === 'number', 'the plan has sets of the type of its operand');
  return floatsIn(vector.values, values.set);
}
