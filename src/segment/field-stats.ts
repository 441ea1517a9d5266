import type { FieldStats } from '../catalog/model.ts';
import { bitAt, compareTexts, countOnes, textAt, type BytesColumn, type Column } from '../columns/index.ts';
import { StoredGeometries } from '../geometry/index.ts';

/** Longer texts are not worth their place in the metastore, which every process holds in memory. */
const TEXT_BYTES_MAX = 128;

interface Range {
  readonly min: string;
  readonly max: string;
}

/**
 * The least and greatest value of a field over the rows that are not null: integers by value, texts by their UTF-8 bytes, of geometries
 * the corners of the rectangle around them, each as two numbers. null where there is no such order (booleans, JSON, arrays, vectors),
 * no value, none but empty geometries, a NaN, or a text too long to keep.
 */
export function fieldStats(fieldId: number, column: Column): FieldStats | null {
  const range = rangeOf(column);
  if (range === null) return null;
  const nullCount = column.validity === null ? 0 : column.length - countOnes(column.validity);
  return { fieldId, ...range, nullCount };
}

function rangeOf(column: Column): Range | null {
  switch (column.type) {
    case 'Int8':
    case 'Int16':
    case 'Int32':
    case 'Int64':
    case 'Float':
    case 'Double':
    case 'Timestamptz':
      return numberRange(column.values, column.validity);
    case 'VarChar':
      return textRange(column);
    case 'Geometry':
      return cornersOf(column);
    default:
      return null;
  }
}

function numberRange(values: ArrayLike<number | bigint>, validity: Uint8Array | null): Range | null {
  let min: number | bigint | null = null;
  let max: number | bigint | null = null;
  for (let row = 0; row < values.length; row++) {
    if (validity !== null && !bitAt(validity, row)) continue;
    const value = values[row]!;
    if (Number.isNaN(value)) return null;
    if (min === null || value < min) min = value;
    if (max === null || value > max) max = value;
  }
  return min === null ? null : { min: String(min), max: String(max) };
}

function textRange(column: BytesColumn): Range | null {
  let min = -1;
  let max = -1;
  for (let row = 0; row < column.length; row++) {
    if (column.validity !== null && !bitAt(column.validity, row)) continue;
    if (min < 0 || compareTexts(column, row, column, min) < 0) min = row;
    if (max < 0 || compareTexts(column, row, column, max) > 0) max = row;
  }
  if (min < 0) return null;
  const size = (row: number): number => column.offsets[row + 1]! - column.offsets[row]!;
  if (size(min) > TEXT_BYTES_MAX || size(max) > TEXT_BYTES_MAX) return null;
  return { min: textAt(column, min), max: textAt(column, max) };
}

function cornersOf({ bytes, offsets, validity, length }: BytesColumn): Range | null {
  const stored = new StoredGeometries(bytes);
  const { bounds } = stored;
  let [lowX, lowY, highX, highY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let row = 0; row < length; row++) {
    if (validity !== null && !bitAt(validity, row)) continue;
    stored.measure(offsets[row]!);
    lowX = Math.min(lowX, bounds.lowX);
    lowY = Math.min(lowY, bounds.lowY);
    highX = Math.max(highX, bounds.highX);
    highY = Math.max(highY, bounds.highY);
  }
  return lowX > highX ? null : { min: `${lowX} ${lowY}`, max: `${highX} ${highY}` };
}
