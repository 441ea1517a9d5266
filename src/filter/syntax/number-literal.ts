import { filterError, quoted } from '../filter-error.ts';

/** An integer has no bounds here: `-9223372036854775808` only fits once its sign is seen. */
export interface ScannedNumber {
  readonly value: bigint | number;
  readonly end: number;
}

const NUMBER = new RegExp(
  [
    '0[xX](?:[0-9a-fA-F]+\\.?[0-9a-fA-F]*|\\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?',
    '0[bB][01]+',
    '0[oO][0-7]+',
    '(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?',
  ].join('|'),
  'y',
);
const NAME_CONTINUES = /[\p{L}\p{N}_$]/uy;
const DIGITS_MAX = 400;

/** Reads the number that starts at `at`: a digit, or a dot before a digit. */
export function scanNumber(text: string, at: number): ScannedNumber {
  NUMBER.lastIndex = at;
  const literal = NUMBER.exec(text)?.[0] ?? text[at]!;
  const end = at + literal.length;
  NAME_CONTINUES.lastIndex = end;
  if (NAME_CONTINUES.test(text)) {
    throw filterError(at, `${quoted(text.slice(at, end + 1))} is neither a number nor a name`);
  }
  if (literal.length > DIGITS_MAX) {
    throw filterError(at, `the number has ${literal.length} characters, at most ${DIGITS_MAX} are read`);
  }
  return { value: valueOf(literal, at), end };
}

function valueOf(literal: string, at: number): bigint | number {
  if (/^0[xX]/.test(literal)) return /[.pP]/.test(literal) ? hexFloat(literal, at) : BigInt(literal);
  if (/^0[bBoO]/.test(literal)) return BigInt(literal);
  if (/[.eE]/.test(literal)) return finite(Number(literal), literal, at);
  if (!/^0[0-9]/.test(literal)) return BigInt(literal);
  if (/^0[0-7]+$/.test(literal)) return BigInt(`0o${literal}`);
  throw filterError(at, `${quoted(literal)} is not octal; drop the leading zero`);
}

/** C's hexadecimal float: the exponent is a power of two, in decimal. */
function hexFloat(literal: string, at: number): number {
  const [mantissa, exponent] = literal.slice(2).toLowerCase().split('p');
  if (exponent === undefined) throw filterError(at, `${quoted(literal)} needs a p exponent, as in 0x1.8p3`);
  const [whole, fraction = ''] = mantissa!.split('.');
  const digits = BigInt(`0x${whole}${fraction}`);
  const scaled = Number(digits) * 2 ** (Number(exponent) - 4 * fraction.length);
  return finite(scaled, literal, at);
}

function finite(value: number, literal: string, at: number): number {
  if (Number.isFinite(value)) return value;
  throw filterError(at, `${quoted(literal)} is too large for a 64-bit float`);
}
