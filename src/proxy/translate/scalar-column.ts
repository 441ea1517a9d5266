import { checkFinite, checkRange, checkTexts } from './field-data-checks.ts';
import type { ScalarField } from './generated/milvus.js';
import { byteRowCount, type ByteRows } from './protobuf/byte-rows.ts';
import type { BytesColumn, Column } from '../../columns/index.ts';
import type { ElementType, FieldSchema } from '../../schema/index.ts';

/** null when the client sent another kind of values than the type has. */
export function scalarColumn(
  field: FieldSchema,
  type: ElementType,
  data: ScalarField,
  describeRow: (index: number) => string = (index) => `row number: ${index}`,
): Column | null {
  switch (type) {
    case 'Bool':
      return fixed(type, data.boolData?.data);
    case 'Int8':
      if (data.intData !== null) checkRange(data.intData.data, type, field);
      return fixed(type, data.intData && Int8Array.from(data.intData.data));
    case 'Int16':
      if (data.intData !== null) checkRange(data.intData.data, type, field);
      return fixed(type, data.intData && Int16Array.from(data.intData.data));
    case 'Int32':
      return fixed(type, data.intData?.data);
    case 'Int64':
      return fixed(type, data.longData?.data);
    case 'Float':
      if (data.floatData !== null) checkFinite(data.floatData.data, field);
      return fixed(type, data.floatData?.data);
    case 'Double':
      if (data.doubleData !== null) checkFinite(data.doubleData.data, field);
      return fixed(type, data.doubleData?.data);
    case 'VarChar':
      if (data.stringData === null) return null;
      checkTexts(data.stringData.data, field, describeRow);
      return bytesColumn(type, data.stringData.data);
  }
}

function fixed(
  type: Exclude<ElementType, 'VarChar'>,
  values: { readonly length: number } | null | undefined,
): Column | null {
  if (values === null || values === undefined) return null;
  return { type, length: values.length, validity: null, values } as Column;
}

export function bytesColumn(type: BytesColumn['type'], { offsets, bytes }: ByteRows): BytesColumn {
  return { type, length: byteRowCount({ offsets, bytes }), validity: null, offsets, bytes };
}
