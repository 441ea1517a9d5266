import { MishardsError, type ErrorCode } from '../errors/index.ts';

export type Parameters = Readonly<Record<string, number | string | boolean>>;

export interface IntegerParameter {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
}

/** Reads whole numbers by name; clients also send them as decimal strings. Unknown names and bad values throw `code`. */
export function readIntegers<Names extends string>(
  params: Parameters,
  known: Readonly<Record<Names, IntegerParameter>>,
  code: ErrorCode,
): Readonly<Record<Names, number>> {
  const specs: readonly IntegerParameter[] = Object.values(known);
  for (const name of Object.keys(params)) {
    if (specs.some((spec) => spec.name === name)) continue;
    const names = specs.map((spec) => spec.name).join(', ');
    throw new MishardsError(code, `unknown parameter ${name}; the known ones are ${names}`);
  }
  const read = (spec: IntegerParameter): number => readInteger(params[spec.name], spec, code);
  return Object.fromEntries(
    Object.entries<IntegerParameter>(known).map(([key, spec]) => [key, read(spec)]),
  ) as Record<Names, number>;
}

function readInteger(
  given: number | string | boolean | undefined,
  spec: IntegerParameter,
  code: ErrorCode,
): number {
  if (given === undefined) return spec.fallback;
  const value = typeof given === 'string' && /^\s*-?\d+\s*$/.test(given) ? Number(given) : given;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < spec.min || value > spec.max) {
    const range = `a whole number in [${spec.min}, ${spec.max}]`;
    throw new MishardsError(code, `${spec.name} is ${JSON.stringify(given)}; it must be ${range}`);
  }
  return value;
}
