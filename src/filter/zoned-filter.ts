import { formatInstant, hasOffset, parseInstant } from '../util/instant.ts';
import { isTimeZone, UTC } from '../util/time-zone.ts';
import { Lexer } from './syntax/lexer.ts';

const MAY_HAVE_TIMES = /\biso\b/i;

/**
 * The filter with every `ISO '…'` that names no offset written as clocks of `zone` mean it, so that whoever compiles it needs no
 * zone. What is no time stays, for the compiler to complain about. Throws `FILTER_INVALID` where the text has no tokens.
 */
export function zonedFilter(text: string, zone: string): string {
  if (zone === UTC || !MAY_HAVE_TIMES.test(text) || !isTimeZone(zone)) return text;
  const lexer = new Lexer(text);
  let zoned = '';
  let copied = 0;
  for (let token = lexer.take(); token.kind !== 'end'; token = lexer.take()) {
    if (token.kind !== 'name' || (token.text !== 'ISO' && token.text !== 'iso')) continue;
    const value = lexer.peek();
    if (value.kind !== 'string' || hasOffset(value.value)) continue;
    const instant = parseInstant(value.value, zone);
    if (typeof instant !== 'bigint') continue;
    zoned += `${text.slice(copied, value.at)}'${formatInstant(instant, UTC)}'`;
    copied = endOfString(text, value.at);
  }
  return zoned + text.slice(copied);
}

/** A time holds no quotes, so the next one closes it. A raw string begins with an r. */
function endOfString(text: string, at: number): number {
  const open = text[at] === '"' || text[at] === "'" ? at : at + 1;
  return text.indexOf(text[open]!, open + 1) + 1;
}
