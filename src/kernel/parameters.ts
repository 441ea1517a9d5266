import { MishardsError, type ErrorCode } from '../errors/index.ts';

export type Parameters = Readonly<Record<string, number | string | boolean>>;

/** Inclusive bounds; `integer` wants a whole number. The fallback may lie outside: nothing said. */
export interface NumberParameter {
  readonly kind: 'integer' | 'number';
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
}

export interface FlagParameter {
  readonly kind: 'flag';
  readonly fallback: boolean;
}

export interface ChoiceParameter {
  readonly kind: 'choice';
  /** In capitals; read in any case. */
  readonly choices: readonly string[];
  readonly fallback: string;
}

export type Parameter = NumberParameter | FlagParameter | ChoiceParameter;

/** By Milvus's names. */
export type ParameterTable = Readonly<Record<string, Parameter>>;

/**
 * Every parameter of the table as a number: flags as 0 and 1, choices as their place in the list. Clients also send numbers and
 * flags as text. Unknown names and bad values throw `code`.
 */
export function readParameters(
  params: Parameters,
  known: ParameterTable,
  code: ErrorCode,
): Readonly<Record<string, number>> {
  for (const name of Object.keys(params)) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known).join(', ');
    throw new MishardsError(
      code,
      `unknown parameter ${name}; ${names === '' ? 'there are none' : `the known ones are ${names}`}`,
    );
  }
  return Object.fromEntries(
    Object.entries(known).map(([name, parameter]) => {
      const value = params[name] === undefined ? fallbackOf(parameter) : valueOf(parameter, params[name]);
      if (value !== null) return [name, value];
      const given = JSON.stringify(params[name]);
      throw new MishardsError(code, `${name} is ${given}; it must be ${wantedOf(parameter)}`);
    }),
  );
}

/** null for what is not a value of the parameter. */
export function valueOf(parameter: Parameter, given: number | string | boolean): number | null {
  switch (parameter.kind) {
    case 'flag':
      return flagOf(given);
    case 'choice': {
      const place = typeof given === 'string' ? parameter.choices.indexOf(given.toUpperCase()) : -1;
      return place === -1 ? null : place;
    }
    default:
      return numberOf(parameter, given);
  }
}

/** What a parameter takes, for texts of errors. */
export function wantedOf(parameter: Parameter): string {
  switch (parameter.kind) {
    case 'flag':
      return 'true or false';
    case 'choice':
      return `one of ${parameter.choices.join(', ')}`;
    default:
      return `a ${parameter.kind === 'integer' ? 'whole number' : 'number'} in [${parameter.min}, ${parameter.max}]`;
  }
}

function fallbackOf(parameter: Parameter): number {
  if (parameter.kind === 'flag') return parameter.fallback ? 1 : 0;
  return parameter.kind === 'choice' ? parameter.choices.indexOf(parameter.fallback) : parameter.fallback;
}

function flagOf(given: number | string | boolean): number | null {
  if (typeof given === 'boolean') return given ? 1 : 0;
  const text = String(given).toLowerCase();
  return text === 'true' ? 1 : text === 'false' ? 0 : null;
}

function numberOf({ kind, min, max }: NumberParameter, given: number | string | boolean): number | null {
  const isNumeral = typeof given === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(given);
  const value = isNumeral ? Number(given) : given;
  if (typeof value !== 'number' || !(value >= min && value <= max)) return null;
  return kind === 'integer' && !Number.isInteger(value) ? null : value;
}
