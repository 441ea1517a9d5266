import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floatInterval, integerInterval, type IntervalOperator } from './bounds.ts';

const OPERATORS: readonly IntervalOperator[] = ['==', '<', '<=', '>', '>='];
const FLOATS = [
  ...[0, -0, 1, -1, 0.1, -0.1, 1.5, 2 ** 53, 2 ** 63, -(2 ** 63), 2 ** 64, 1e300, -1e300, 3.4028235e38],
  ...[Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE, 2 ** -149, -(2 ** -149), 2 ** -126, 9.3e18],
];
const INTEGERS = [0n, 1n, -1n, 127n, 128n, -128n, -129n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

function holds(operator: IntervalOperator, left: bigint | number, right: bigint | number): boolean {
  if (operator === '==') return left == right;
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

test('an interval of floats has just the floats that compare so', () => {
  for (const single of [false, true]) {
    const rounded = (value: number): number => (single ? Math.fround(value) : value);
    const probes = [...FLOATS.map(rounded), Infinity, -Infinity, NaN];
    for (const operator of OPERATORS) {
      for (const constant of FLOATS) {
        const { low, high } = floatInterval(operator, constant, single);
        for (const probe of probes) {
          const expected = holds(operator, probe, rounded(constant));
          assert.equal(probe >= low && probe <= high, expected, `${probe} ${operator} ${constant} ${single}`);
        }
      }
    }
  }
});

test('an interval of integers has just the integers that compare so', () => {
  const ranges = [7n, 15n, 31n, 63n].map((bits) => ({ low: -(2n ** bits), high: 2n ** bits - 1n }));
  for (const range of ranges) {
    const probes = INTEGERS.filter((value) => value >= range.low && value <= range.high);
    for (const operator of OPERATORS) {
      for (const constant of [...INTEGERS, ...FLOATS]) {
        const { low, high } = integerInterval(operator, constant, range);
        assert.ok(low > high || (low >= range.low && high <= range.high), 'bounds stay within the type');
        for (const probe of probes) {
          const expected = holds(operator, probe, constant);
          assert.equal(
            probe >= low && probe <= high,
            expected,
            `${probe} ${operator} ${constant} of ${range.high}`,
          );
        }
      }
    }
  }
});
