import { MishardsError } from '../errors/index.ts';
import type { JsonValue } from './packet.ts';

const DECIMAL = /^(0|[1-9][0-9]*)$/;

/** One JSON object from outside, read field by field. Whatever has another form than asked for is `CORRUPT_DATA`. */
export class JsonFields {
  /** The fields as they came. */
  readonly raw: Readonly<Record<string, JsonValue | undefined>>;
  readonly #where: string;

  constructor(where: string, value: JsonValue | undefined) {
    this.#where = where;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MishardsError('CORRUPT_DATA', `${where} is not a JSON object`);
    }
    this.raw = value as Readonly<Record<string, JsonValue | undefined>>;
  }

  has(name: string): boolean {
    return this.raw[name] !== undefined;
  }

  text<Text extends string = string>(name: string): Text {
    const value = this.raw[name];
    return typeof value === 'string' ? (value as Text) : this.#refuse(name, 'a string');
  }

  /** An unsigned integer of up to 64 bits as a decimal string. */
  decimal<Text extends string = string>(name: string): Text {
    const value = this.raw[name];
    return typeof value === 'string' && DECIMAL.test(value)
      ? (value as Text)
      : this.#refuse(name, 'a decimal string');
  }

  flag(name: string): boolean {
    const value = this.raw[name];
    return typeof value === 'boolean' ? value : this.#refuse(name, 'true or false');
  }

  /** A safe integer from 0 up. */
  count(name: string): number {
    const value = this.raw[name];
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.#refuse(name, 'a whole number from 0 up');
  }

  number(name: string): number {
    const value = this.raw[name];
    return typeof value === 'number' ? value : this.#refuse(name, 'a number');
  }

  oneOf<const Option extends string>(name: string, options: readonly Option[]): Option {
    const value = this.raw[name];
    return options.includes(value as Option)
      ? (value as Option)
      : this.#refuse(name, `one of ${options.join(', ')}`);
  }

  texts<Text extends string = string>(name: string): readonly Text[] {
    const value = this.#array(name);
    return value.every((item) => typeof item === 'string')
      ? (value as readonly string[] as readonly Text[])
      : this.#refuse(name, 'a list of strings');
  }

  counts(name: string): readonly number[] {
    const value = this.#array(name);
    return value.every((item) => Number.isSafeInteger(item))
      ? (value as readonly number[])
      : this.#refuse(name, 'a list of whole numbers');
  }

  /** An object whose values are all strings. */
  properties(name: string): Readonly<Record<string, string>> {
    const value = this.raw[name];
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && Object.values(value).every((item) => typeof item === 'string')
      ? (value as Readonly<Record<string, string>>)
      : this.#refuse(name, 'an object of strings');
  }

  object<T>(name: string, read: (fields: JsonFields) => T): T {
    return read(new JsonFields(`${this.#where}.${name}`, this.raw[name]));
  }

  objects<T>(name: string, read: (fields: JsonFields) => T): readonly T[] {
    return this.#array(name).map((item, index) =>
      read(new JsonFields(`${this.#where}.${name}[${index}]`, item)),
    );
  }

  /** null where the field is null, else what `read` makes of it. */
  nullable<T>(name: string, read: (name: string) => T): T | null {
    return this.raw[name] === null ? null : read(name);
  }

  #array(name: string): readonly JsonValue[] {
    const value = this.raw[name];
    return Array.isArray(value) ? value : this.#refuse(name, 'a list');
  }

  #refuse(name: string, expected: string): never {
    const found = JSON.stringify(this.raw[name]) ?? 'absent';
    throw new MishardsError('CORRUPT_DATA', `${this.#where}.${name} is ${found}, expected ${expected}`);
  }
}
