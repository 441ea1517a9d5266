import type { RowLife } from '../../catalog/time-to-live.ts';
import { bitAt, clearBit, defaultColumn, newBitmap, type Column } from '../../columns/index.ts';
import type { FieldSchema } from '../../schema/index.ts';
import { assert } from '../../util/assert.ts';
import type { SealedSegment } from '../segment.ts';

/** Bitmap of the rows that are not deleted and whose own time has not come; null = all. */
export async function rowsThatLive(segment: SealedSegment, { end }: RowLife): Promise<Uint8Array | null> {
  const alive = segment.alive();
  if (end === null) return alive;
  const ends = await endsOfRows(segment, end.field);
  const living = newBitmap(segment.rowCount, 1);
  for (let row = 0; row < segment.rowCount; row++) {
    const isOver = isTimeOf(ends, row) && ends.values[row]! <= end.through;
    if (isOver || (alive !== null && !bitAt(alive, row))) clearBit(living, row);
  }
  return living;
}

/** When `count` of the `living` rows (null = all) will be over by this field, at least one; null when fewer have a time. */
export async function whenOver(
  segment: SealedSegment,
  field: FieldSchema,
  living: Uint8Array | null,
  count: number,
): Promise<bigint | null> {
  const ends = await endsOfRows(segment, field);
  const times = new BigInt64Array(segment.rowCount);
  let timeCount = 0;
  for (let row = 0; row < segment.rowCount; row++) {
    if (isTimeOf(ends, row) && (living === null || bitAt(living, row))) {
      times[timeCount++] = ends.values[row]!;
    }
  }
  return timeCount < count ? null : times.subarray(0, timeCount).sort()[count - 1]!;
}

type Ends = Extract<Column, { readonly type: 'Timestamptz' }>;

const isTimeOf = (ends: Ends, row: number): boolean => ends.validity === null || bitAt(ends.validity, row);

async function endsOfRows(segment: SealedSegment, field: FieldSchema): Promise<Ends> {
  const column = (await segment.column(field.id)) ?? defaultColumn(field, segment.rowCount);
  assert(column.type === 'Timestamptz', `field ${field.name} has times`);
  return column;
}
