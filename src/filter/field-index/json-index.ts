import type { JsonPredicate, JsonSegment, JsonSet, JsonTest, Predicate, ValueSet } from '../plan.ts';
import { sameBytes, BytesSet } from '../compile/bytes-set.ts';
import type { JsonConstant } from '../compile/json-constant.ts';
import { valueSet } from '../compile/value-sets.ts';
import { isNumberBetween } from '../evaluate/json-test.ts';
import type { FieldIndex, IndexMatches } from './field-index.ts';
import { isArrayCast, jsonElementType, jsonPath, type JsonTarget } from './json-values.ts';
import { intersection, type PostingIndex } from './posting-index.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The values of one type at one path of a JSON field. It tells conditions on that path that are known of that type alone. */
export class JsonIndex implements FieldIndex {
  readonly target: JsonTarget;
  readonly values: PostingIndex;
  /** False: some numbers are kept nowhere, because no double holds them, so a scan has to tell. */
  readonly isExact: boolean;
  readonly #fieldId: number;
  readonly #path: readonly JsonSegment[];

  constructor(fieldId: number, target: JsonTarget, values: PostingIndex, isExact: boolean) {
    this.#fieldId = fieldId;
    this.#path = jsonPath(target.path);
    this.target = target;
    this.values = values;
    this.isExact = isExact;
  }

  get sizeBytes(): number {
    return this.values.sizeBytes;
  }

  matches(predicate: Predicate): IndexMatches | null {
    if (predicate.kind !== 'json' || !this.isExact || !this.#isAt(predicate)) return null;
    const found = isArrayCast(this.target.cast)
      ? this.#ofElements(predicate.test)
      : this.#ofValues(predicate.test);
    return found === null || this.values.isTooMuch(found) ? null : found;
  }

  #ofValues(test: JsonTest): IndexMatches | null {
    const { terms } = this.values;
    switch (test.kind) {
      case 'numberBetween': {
        if (this.target.cast !== 'DOUBLE' || terms.kind !== 'number') return null;
        const isLow = (value: number): boolean => isNumberBetween(test.low, null, value);
        const isHigh = (value: number): boolean => !isNumberBetween(null, test.high, value);
        return this.values.ofRange(terms.rangeBetween(isLow, isHigh));
      }
      case 'stringBetween': {
        const range = terms.range(test.bounds);
        return range === null ? null : this.values.ofRange(range);
      }
      case 'like':
        return this.values.ofPattern(test.pattern);
      case 'in': {
        const set = this.#setOf(test.set);
        return set === null ? null : this.values.ofSet(set);
      }
      default:
        return null;
    }
  }

  /** Of another type than the values are, or of several, more is known than this index has. */
  #setOf({ booleans, numbers, strings }: JsonSet): ValueSet | null {
    const given = [booleans, numbers, strings].filter((values) => values !== null);
    if (given.length !== 1) return null;
    switch (this.target.cast) {
      case 'BOOL':
        return booleans === null ? null : valueSet('Bool', [...booleans]);
      case 'DOUBLE':
        // An integer that no double holds equals none of the values.
        return numbers === null ? null : doubles([...numbers]);
      case 'VARCHAR':
        return strings === null ? null : { kind: 'string', set: strings };
      default:
        return null;
    }
  }

  #ofElements(test: JsonTest): IndexMatches | null {
    if (test.kind !== 'contains' || test.values.length === 0) return null;
    const sets = test.values.map((value) => this.#setOfElement(value));
    const found = sets.map((set) => (set === null ? null : this.values.ofSet(set)));
    if (found.includes(null)) return null;
    if (found.length === 1) return found[0]!;
    return test.quantifier === 'all' ? intersection(found as readonly IndexMatches[]) : this.#ofAny(sets);
  }

  #ofAny(sets: readonly (ValueSet | null)[]): IndexMatches | null {
    const terms = new Set(sets.flatMap((set) => (set === null ? [] : (this.values.terms.find(set) ?? []))));
    return this.values.ofTerms([...terms].sort((left, right) => left - right));
  }

  #setOfElement(value: JsonConstant): ValueSet | null {
    const type = jsonElementType(this.target.cast);
    if (value.kind === 'boolean' && type === 'Bool') return valueSet('Bool', [value.value]);
    if (value.kind === 'number' && type === 'Double') return doubles([value.value]);
    if (value.kind === 'string' && type === 'VarChar')
      return { kind: 'string', set: new BytesSet([decoder.decode(value.bytes)]) };
    return null;
  }

  #isAt({ source }: JsonPredicate): boolean {
    if (source.fieldId !== this.#fieldId || source.path.length !== this.#path.length) return false;
    return source.path.every(({ key }, index) => sameBytes(this.#path[index]!.key, key, 0, key.length));
  }
}

function doubles(numbers: readonly (bigint | number)[]): ValueSet {
  return { kind: 'number', set: new Set(numbers.filter((value) => typeof value === 'number')) };
}
