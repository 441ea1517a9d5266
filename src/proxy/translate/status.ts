import { ErrorCode as LegacyCode, type StatusInit } from './generated/milvus.js';
import { asMishardsError, type MishardsError } from '../../errors/index.ts';

/** Milvus's status of a call that went well: every field has its zero value. */
export const SUCCESS: StatusInit = {};

/**
 * The one place where our errors become Milvus's `common.Status`. What is not a `MishardsError` is a defect: the client
 * learns that there was one, the log has the rest.
 */
export function statusOf(error: unknown): StatusInit {
  const typed = asMishardsError(error);
  const { entry } = typed;
  const reason = reasonOf(typed);
  return {
    code: entry.milvusCode,
    errorCode: legacyCodeOf(entry.legacyCode),
    reason,
    detail: reason,
    retriable: entry.retriable,
    ...(entry.actor === 'client' ? { extraInfo: new Map([['is_input_error', 'true']]) } : {}),
  };
}

/** The number of a name in `common.ErrorCode`. */
export function legacyCodeOf(name: string): number {
  const code = (LegacyCode as Readonly<Record<string, number>>)[name];
  return code ?? LegacyCode.UnexpectedError;
}

function reasonOf(error: MishardsError): string {
  return error.code === 'INTERNAL' ? `service internal error: ${error.message}` : error.message;
}
