import { MishardsError } from '../errors/index.ts';

export const NAME_LENGTH_MAX = 255;

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PARTITION_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** Words of the filter language, which a field could never be named by in a filter. */
const FIELD_KEYWORDS = new Set([
  '$meta',
  ...['and', 'or', 'not', 'in', 'like', 'exists', 'is', 'null', 'true', 'false'],
  ...['json_contains', 'json_contains_all', 'json_contains_any', 'array_length'],
  ...['array_contains', 'array_contains_all', 'array_contains_any'],
  ...['text_match', 'phrase_match', 'random_sample'],
]);

/** Letters, digits and underscores, the first no digit, at most 255 bytes. Throws `PARAMETER_INVALID`. */
export function checkCollectionName(name: string): void {
  checkPlainName('collection name', name);
}

export function checkAliasName(name: string): void {
  checkPlainName('collection alias', name);
}

/** An empty index name stands for the field's. */
export function checkIndexName(name: string): void {
  if (name !== '') checkPlainName('index name', name);
}

/** Throws `FIELD_INVALID_NAME`. */
export function checkFieldName(name: string): void {
  const isKeyword = FIELD_KEYWORDS.has(name.toLowerCase());
  const problem =
    problemOf('field name', name, PLAIN_NAME) ??
    (isKeyword ? 'it is a keyword of the filter language; choose another' : null);
  if (problem === null) return;
  throw new MishardsError('FIELD_INVALID_NAME', `invalid field name: ${name}, ${problem}`);
}

export function checkDatabaseName(name: string): void {
  const problem = problemOf('database name', name, PLAIN_NAME);
  if (problem !== null) {
    throw new MishardsError('DATABASE_INVALID_NAME', `invalid database name[database=${name}]: ${problem}`);
  }
}

/** Partitions may also begin with a digit and contain hyphens. */
export function checkPartitionName(name: string): void {
  const problem = problemOf('partition name', name, PARTITION_NAME);
  if (problem !== null) {
    throw new MishardsError('PARAMETER_INVALID', `invalid partition name: ${name}, ${problem}`);
  }
}

function checkPlainName(kind: string, name: string): void {
  const problem = problemOf(kind, name, PLAIN_NAME);
  if (problem !== null) throw new MishardsError('PARAMETER_INVALID', `invalid ${kind}: ${name}, ${problem}`);
}

function problemOf(kind: string, name: string, pattern: RegExp): string | null {
  if (name === '') return `${kind} should not be empty`;
  if (Buffer.byteLength(name) > NAME_LENGTH_MAX) {
    return `the length of a ${kind} must be less than ${NAME_LENGTH_MAX} characters`;
  }
  if (pattern.test(name)) return null;
  if (!pattern.test(name[0]!)) return `the first character of a ${kind} must be an underscore or letter`;
  return `a ${kind} can only contain numbers, letters and underscores`;
}
