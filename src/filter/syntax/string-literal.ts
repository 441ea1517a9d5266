import { filterError } from '../filter-error.ts';

/** Escapes of one character; every other escaped character keeps its backslash, so that `\%` reaches a `like` pattern. */
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  '?': '?',
};
const CODE_POINT_MAX = 0x10ffff;

export interface ScannedString {
  readonly value: string;
  /** Offset just past the closing quote. */
  readonly end: number;
}

/** Reads the string literal whose opening quote is at `open`. */
export function scanString(text: string, open: number): ScannedString {
  const quote = text[open]!;
  let value = '';
  let runStart = open + 1;
  let at = open + 1;
  for (;;) {
    if (at >= text.length) throw unterminated(open, quote);
    const character = text[at]!;
    if (character === quote)
      return { value: wellFormed(value + text.slice(runStart, at), open), end: at + 1 };
    if (character !== '\\') {
      at++;
      continue;
    }
    if (at + 1 >= text.length) throw unterminated(open, quote);
    const escape = scanEscape(text, at);
    value += text.slice(runStart, at) + escape.value;
    at = escape.end;
    runStart = at;
  }
}

/** A raw literal, `r"..."`: backslashes stay; one before the quote also keeps the literal open. `open` is at the quote. */
export function scanRawString(text: string, open: number): ScannedString {
  const quote = text[open]!;
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) return { value: text.slice(open + 1, at), end: at + 1 };
  }
  throw unterminated(open, quote);
}

function scanEscape(text: string, backslash: number): ScannedString {
  const letter = text[backslash + 1]!;
  const simple = SIMPLE_ESCAPES[letter];
  if (simple !== undefined && Object.hasOwn(SIMPLE_ESCAPES, letter))
    return { value: simple, end: backslash + 2 };
  if (letter >= '0' && letter <= '7') return scanOctal(text, backslash);
  if (letter === 'x') return scanHex(text, backslash, 2, 0x7f);
  if (letter === 'u') return scanHex(text, backslash, 4, 0xffff);
  if (letter === 'U') return scanHex(text, backslash, 8, CODE_POINT_MAX);
  if (letter === '\n') return { value: '', end: backslash + 2 };
  return { value: '\\' + letter, end: backslash + 2 };
}

function scanHex(text: string, backslash: number, digits: number, max: number): ScannedString {
  const end = backslash + 2 + digits;
  const hex = text.slice(backslash + 2, end);
  if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) {
    throw filterError(backslash, `'\\${text[backslash + 1]}' needs ${digits} hexadecimal digits`);
  }
  const code = Number.parseInt(hex, 16);
  if (code > max) throw outsideRange(backslash, text.slice(backslash, end));
  // A code unit, not a code point: \ud83d\ude00 is how JSON writers escape one character outside the basic plane.
  return { value: digits === 4 ? String.fromCharCode(code) : String.fromCodePoint(code), end };
}

function scanOctal(text: string, backslash: number): ScannedString {
  let end = backslash + 1;
  while (end < backslash + 4 && text[end]! >= '0' && text[end]! <= '7') end++;
  const code = Number.parseInt(text.slice(backslash + 1, end), 8);
  if (code > 0x7f) throw outsideRange(backslash, text.slice(backslash, end));
  return { value: String.fromCharCode(code), end };
}

function wellFormed(value: string, open: number): string {
  if (value.isWellFormed()) return value;
  throw filterError(open, 'the string has half of a surrogate pair; escape both halves');
}

function outsideRange(at: number, escape: string) {
  return filterError(at, `escape '${escape}' is out of range; use \\uXXXX or \\UXXXXXXXX`);
}

function unterminated(open: number, quote: string) {
  return filterError(open, `the string has no closing ${quote}`);
}
