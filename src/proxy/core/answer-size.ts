import { columnBytes, type PrimaryKeyColumn, type RowBatch } from '../../columns/index.ts';
import { MishardsError } from '../../errors/index.ts';

export interface AnswerRows {
  readonly keys: PrimaryKeyColumn;
  readonly rows: RowBatch;
}

/** Throws `PARAMETER_TOO_LARGE` when the keys and fields of an answer weigh more than `bytesMax`. */
export function checkAnswerSize({ keys, rows }: AnswerRows, bytesMax: number): void {
  const bytes = [keys, ...rows.columns.values()].reduce((sum, column) => sum + columnBytes(column), 0);
  if (bytes <= bytesMax) return;
  throw new MishardsError(
    'PARAMETER_TOO_LARGE',
    `the answer has ${keys.length} rows of ${bytes} bytes, the limit is proxy.answer_bytes_max = ${bytesMax}; ask for fewer rows or fields, or use an iterator`,
  );
}
