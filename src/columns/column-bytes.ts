import type { Column } from './column.ts';

/** Bytes of a column's buffers. Views count as what they show, although they keep the whole buffer. */
export function columnBytes(column: Column): number {
  const validityBytes = column.validity?.byteLength ?? 0;
  switch (column.type) {
    case 'VarChar':
    case 'JSON':
    case 'Geometry': {
      const textBytes = column.offsets[column.length]! - column.offsets[0]!;
      return validityBytes + column.offsets.byteLength + textBytes;
    }
    case 'Array':
      return validityBytes + column.offsets.byteLength + columnBytes(column.elements);
    case 'SparseFloatVector': {
      const entries = column.offsets[column.length]! - column.offsets[0]!;
      return validityBytes + column.offsets.byteLength + entries * 8;
    }
    default:
      return validityBytes + column.values.byteLength;
  }
}
