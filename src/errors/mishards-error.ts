import { ERROR_TABLE, isErrorCode, type ErrorCode, type ErrorEntry } from './error-table.ts';

/**
 * A failure of operation, not a defect: it has a row in the error table and may reach the client.
 * The message is lowercase, names the value, the limit and the cure, and has no full stop.
 */
export class MishardsError extends Error {
  override readonly name = 'MishardsError';
  readonly code: ErrorCode;
  /** For the logs only; never sent to a client. */
  readonly detail: string | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; detail?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
  }

  get entry(): ErrorEntry {
    return ERROR_TABLE[this.code];
  }

  get retriable(): boolean {
    return this.entry.retriable;
  }
}

export interface ErrorOnWire {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Anything thrown, as it travels between our nodes. What is not a `MishardsError` becomes `INTERNAL`. */
export function errorToWire(error: unknown): ErrorOnWire {
  const typed = asMishardsError(error);
  return { code: typed.code, message: typed.message };
}

export function errorFromWire(value: ErrorOnWire): MishardsError {
  const code = isErrorCode(value.code) ? value.code : 'INTERNAL';
  return new MishardsError(code, value.message);
}

export function asMishardsError(error: unknown): MishardsError {
  if (error instanceof MishardsError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new MishardsError('CANCELLED', 'the request was cancelled', { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new MishardsError('INTERNAL', message, { cause: error });
}

export function isErrorWithCode(error: unknown, ...codes: ErrorCode[]): error is MishardsError {
  return error instanceof MishardsError && codes.includes(error.code);
}
