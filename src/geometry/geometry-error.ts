import { MishardsError } from '../errors/index.ts';

const QUOTED_LENGTH_MAX = 60;

/** The one error of this room: what was given is no geometry that can be stored. */
export function geometryError(message: string, cause?: unknown): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message, { cause });
}

/** A piece of the client's text, short enough for a message. */
export function quoted(text: string): string {
  if (text.length <= QUOTED_LENGTH_MAX) return `'${text}'`;
  return `'${text.slice(0, QUOTED_LENGTH_MAX).toWellFormed()}…'`;
}
