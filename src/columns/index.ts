export {
  bitAt,
  bitmapBytes,
  clearBit,
  copyBits,
  countOnes,
  newBitmap,
  setBit,
  setBits,
  takeBits,
} from './bitmap.ts';
export type {
  ArrayColumn,
  BinaryVectorColumn,
  BoolColumn,
  BytesColumn,
  Column,
  DenseVectorColumn,
  DoubleColumn,
  FloatColumn,
  FloatVectorColumn,
  HalfVectorColumn,
  Int16Column,
  Int32Column,
  Int64Column,
  Int8Column,
  Int8VectorColumn,
  NumberColumn,
  PrimaryKeyColumn,
  RowBatch,
  ScalarColumn,
  SparseVectorColumn,
  TimestamptzColumn,
  VectorColumn,
} from './column.ts';
export { columnBytes } from './column-bytes.ts';
export { createColumnBuilder, type ColumnBuilder } from './column-builder.ts';
export {
  checkOffsets,
  packColumn,
  packRows,
  PartReader,
  unpackColumn,
  unpackKeys,
  unpackRows,
  unpackVectors,
} from './column-packet.ts';
export {
  elementsPerRow,
  fixedColumn,
  isFixedColumn,
  isFixedType,
  isVectorColumn,
  sameShape,
  scalarShape,
  shapeOfColumn,
  type ColumnShape,
} from './column-shape.ts';
export {
  bytesAt,
  columnFromValues,
  textAt,
  valueAt,
  valuesOf,
  type ColumnValue,
  type SparseVector,
} from './column-values.ts';
export { channelIndexes, channelIndexOf, hashKey } from './key-hash.ts';
export { KeyIndex } from './key-index.ts';
export { KeySet } from './key-set.ts';
export { newestOfEachKey } from './newest-of-each-key.ts';
export { sortedRows } from './key-order.ts';
export {
  asKeys,
  compareKeys,
  compareTexts,
  isSorted,
  keyAt,
  keysFromValues,
  lowerBound,
  type KeyValue,
} from './primary-keys.ts';
export {
  columnOf,
  concatColumns,
  concatRows,
  constantColumn,
  defaultColumn,
  emptyColumn,
  nullColumn,
  sliceColumn,
  sliceRows,
  takeColumn,
  takeRows,
} from './row-batch.ts';
export { compareRows, type OrderColumn } from './row-order.ts';
export { ValidityBuilder } from './validity-builder.ts';
