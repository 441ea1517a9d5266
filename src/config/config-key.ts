import { MishardsError } from '../errors/index.ts';

/** One configuration key: how its text is read, its default and why it exists. */
export interface ConfigKey<Value> {
  readonly type: string;
  readonly default: Value;
  readonly doc: string;
  readonly secret: boolean;
  /** From YAML (already typed) or from text (environment, flags). Throws a plain Error that says what is wrong. */
  readonly read: (raw: unknown) => Value;
}

interface Common<Value> {
  readonly default: Value;
  readonly doc: string;
  readonly secret?: boolean;
}

interface Bounded<Value> extends Common<Value> {
  readonly min: number;
  readonly max: number;
}

export function text(options: Common<string>): ConfigKey<string> {
  return key('text', options, (raw) => {
    if (typeof raw !== 'string' && typeof raw !== 'number') throw new Error('must be text');
    return String(raw);
  });
}

export function flag(options: Common<boolean>): ConfigKey<boolean> {
  return key('true | false', options, (raw) => {
    if (raw === true || raw === 'true') return true;
    if (raw === false || raw === 'false') return false;
    throw new Error('must be true or false');
  });
}

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  options: Common<Choice>,
): ConfigKey<Choice> {
  return key(choices.join(' | '), options, (raw) => {
    const choice = choices.find((candidate) => candidate === raw);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return choice;
  });
}

/** A list of texts; in the environment and on the command line separated by commas. */
export function list(options: Common<readonly string[]>): ConfigKey<readonly string[]> {
  return key('list', options, (raw) => {
    const items = typeof raw === 'string' ? raw.split(',').filter((item) => item !== '') : raw;
    if (!Array.isArray(items) || !items.every((item) => typeof item === 'string'))
      throw new Error('must be a list of texts');
    return items as string[];
  });
}

export function integer(options: Bounded<number>): ConfigKey<number> {
  return key(`integer ${options.min} … ${options.max}`, options, (raw) => {
    const value = toNumber(raw);
    if (!Number.isInteger(value)) throw new Error('must be a whole number');
    return within(value, options);
  });
}

export function fraction(options: Bounded<number>): ConfigKey<number> {
  return key(`number ${options.min} … ${options.max}`, options, (raw) => within(toNumber(raw), options));
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Milliseconds, or a number with ms, s, m or h. */
export function duration(options: Bounded<number>): ConfigKey<number> {
  return key('duration', options, (raw) => within(withUnit(raw, DURATION_UNITS), options));
}

/** Bytes, or a number with KiB, MiB, GiB or TiB. */
export function size(options: Bounded<number>): ConfigKey<number> {
  return key('size', options, (raw) => within(withUnit(raw, SIZE_UNITS), options));
}

function key<Value>(type: string, options: Common<Value>, read: (raw: unknown) => Value): ConfigKey<Value> {
  return { type, default: options.default, doc: options.doc, secret: options.secret ?? false, read };
}

function toNumber(raw: unknown): number {
  const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error('must be a number');
  return value;
}

function withUnit(raw: unknown, units: Readonly<Record<string, number>>): number {
  if (typeof raw === 'number') return raw;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(String(raw));
  const factor = match === null ? undefined : match[2] === '' ? 1 : units[match[2]!];
  if (match === null || factor === undefined) {
    throw new Error(`must be a number with one of the units ${Object.keys(units).join(', ')}`);
  }
  return Math.round(Number(match[1]) * factor);
}

function within(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  if (value < min || value > max) throw new Error(`must be between ${min} and ${max}`);
  return value;
}

export function configError(path: string, origin: string, problem: string): MishardsError {
  return new MishardsError('CONFIG_INVALID', `configuration key ${path} (${origin}) ${problem}`);
}
