import { MishardsError } from '../errors/index.ts';

const QUOTED_LENGTH_MAX = 60;

/**
 * The one error of this room. `at` is the 0-based offset in the filter's text; the message counts characters from 1,
 * as editors do.
 */
export function filterError(at: number, message: string): MishardsError {
  return new MishardsError('FILTER_INVALID', `filter at character ${at + 1}: ${message}`);
}

/** A piece of the client's text, short enough for a message. */
export function quoted(text: string): string {
  if (text.length <= QUOTED_LENGTH_MAX) return `'${text}'`;
  return `'${text.slice(0, QUOTED_LENGTH_MAX).toWellFormed()}…'`;
}
