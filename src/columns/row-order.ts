import { bitAt } from './bitmap.ts';
import type { Column } from './column.ts';
import { compareTexts } from './primary-keys.ts';
import { assert } from '../util/assert.ts';

/** One of the columns that rows are put in order by. */
export interface OrderColumn {
  readonly column: Column;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

type Compare = (a: number, b: number) => number;

/**
 * How rows compare: by the first column, ties by the next, and so on; 0 where they tie in all. Booleans, numbers (NaN above all
 * others), times and texts by their UTF-8 bytes have an order.
 */
export function compareRows(columns: readonly OrderColumn[]): Compare {
  const comparers = columns.map(comparerOf);
  return (a, b) => {
    for (const compare of comparers) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function comparerOf({ column, descending, nullsFirst }: OrderColumn): Compare {
  const values = valueComparer(column);
  const directed: Compare = descending ? (a, b) => values(b, a) : values;
  const { validity } = column;
  if (validity === null) return directed;
  return (a, b) => {
    const [hasA, hasB] = [bitAt(validity, a), bitAt(validity, b)];
    if (hasA && hasB) return directed(a, b);
    if (hasA === hasB) return 0;
    return hasA === nullsFirst ? 1 : -1;
  };
}

function valueComparer(column: Column): Compare {
  switch (column.type) {
    case 'VarChar':
      return (a, b) => compareTexts(column, a, column, b);
    case 'Int64':
    case 'Timestamptz': {
      const { values } = column;
      return (a, b) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0);
    }
    case 'Float':
    case 'Double': {
      const { values } = column;
      return (a, b) => compareFloats(values[a]!, values[b]!);
    }
    default: {
      assert('values' in column && !('dim' in column), `rows cannot be ordered by ${column.type}`);
      const { values } = column;
      return (a, b) => Number(values[a]!) - Number(values[b]!);
    }
  }
}

function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
