import type { ArithmeticOperator } from './ast.ts';
import type { BytesSet } from './compile/bytes-set.ts';
import type { Int64Set } from './compile/int64-set.ts';
import type { IntegerSet } from './compile/integer-set.ts';
import type { JsonConstant } from './compile/json-constant.ts';
import type { LikePattern } from './compile/like-pattern.ts';
import type { GeometryTest } from '../geometry/index.ts';
import type { Duration } from '../util/iso-duration.ts';

/**
 * A filter bound to one schema: types checked, parameters filled in, constants folded, sets built. It holds no rows, so one
 * plan serves any number of segments.
 */
export interface FilterPlan {
  readonly predicate: Predicate;
  /** Every field read, ascending. */
  readonly fieldIds: readonly number[];
}

/**
 * What is true, false or unknown of a row. A null operand makes a comparison unknown; a row passes only when the whole is
 * true (Kleene's logic, as SQL's and Milvus's).
 */
export type Predicate =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Predicate[] }
  | { readonly kind: 'not'; readonly operand: Predicate }
  | BetweenPredicate
  | InPredicate
  | { readonly kind: 'like'; readonly operand: Operand; readonly pattern: LikePattern }
  | ComparePredicate
  /** Never unknown. */
  | { readonly kind: 'isNull'; readonly fieldId: number }
  /** Over the elements of an Array field. `sets`: one for `any`, one for each value for `all`. */
  | ContainsPredicate
  /** An Array field of exactly `sets.length` elements, the n-th in `sets[n]`. */
  | { readonly kind: 'arrayEquals'; readonly fieldId: number; readonly sets: readonly ValueSet[] }
  | JsonPredicate
  | DynamicPredicate
  /** Over a Geometry field; unknown where a geometry is not valid. */
  | GeometryPredicate
  | IndexedPredicate;

export interface BetweenPredicate {
  readonly kind: 'between';
  readonly operand: Operand;
  readonly bounds: Bounds;
}
/** Equality with any of the values; `==` is a set of one. */
export interface InPredicate {
  readonly kind: 'in';
  readonly operand: Operand;
  readonly set: ValueSet;
}
export interface ComparePredicate {
  readonly kind: 'compare';
  readonly operator: '==' | '<' | '<=';
  readonly left: Operand;
  readonly right: Operand;
}
export interface ContainsPredicate {
  readonly kind: 'arrayContains';
  readonly fieldId: number;
  readonly quantifier: 'any' | 'all';
  readonly sets: readonly ValueSet[];
}
export interface JsonPredicate {
  readonly kind: 'json';
  readonly source: JsonSource;
  readonly test: JsonTest;
}
/** Arithmetic whose types are known only row by row. */
export interface DynamicPredicate {
  readonly kind: 'dynamic';
  readonly expression: DynamicExpression;
  readonly test: Extract<JsonTest, { kind: 'numberBetween' | 'in' }>;
}

export interface GeometryPredicate {
  readonly kind: 'geometry';
  readonly fieldId: number;
  readonly test: GeometryTest;
}

/**
 * What an index has told of all rows of one segment, as bitmaps; `known` null = all. It stands in plans made for that segment
 * by `useIndexes` only.
 */
export interface IndexedPredicate {
  readonly kind: 'indexed';
  readonly isTrue: Uint8Array;
  readonly known: Uint8Array | null;
}

/** Both ends included; open ends were moved to the next value. Low above high, or NaN: nothing is between. */
export type Bounds =
  | { readonly kind: 'number'; readonly low: number; readonly high: number }
  | { readonly kind: 'int64'; readonly low: bigint; readonly high: bigint }
  | StringBounds;
/** UTF-8 bytes, in byte order. */
export interface StringBounds {
  readonly kind: 'string';
  readonly low: StringBound | null;
  readonly high: StringBound | null;
}
export interface StringBound {
  readonly bytes: Uint8Array;
  readonly open: boolean;
}

/** In the form that operands of a type are looked up in. Booleans are the integers 0 and 1. */
export type ValueSet =
  | { readonly kind: 'integer'; readonly set: IntegerSet }
  | { readonly kind: 'number'; readonly set: ReadonlySet<number> }
  | { readonly kind: 'int64'; readonly set: Int64Set }
  | { readonly kind: 'string'; readonly set: BytesSet };

/**
 * How a value is held in memory while a filter runs. `Bool` is 0 or 1; `SafeInt` are integers that a double holds exactly;
 * `Int64` wraps at 64 bits; `Timestamptz` are microseconds; `Float` is rounded to 32 bits after every step.
 */
export type OperandType =
  'Bool' | 'Int8' | 'Int16' | 'Int32' | 'SafeInt' | 'Int64' | 'Timestamptz' | 'Float' | 'Double' | 'VarChar';
/** The types arithmetic is done in. */
export type ArithmeticType = 'SafeInt' | 'Int64' | 'Float' | 'Double';

/** One value a row, of a type known from the schema. */
export type Operand =
  | { readonly kind: 'column'; readonly fieldId: number; readonly type: OperandType }
  /** An element of an Array field; null where the array is shorter. */
  | { readonly kind: 'element'; readonly fieldId: number; readonly type: OperandType; readonly index: number }
  | { readonly kind: 'length'; readonly fieldId: number; readonly type: 'Int32' }
  | {
      readonly kind: 'constant';
      readonly type: 'SafeInt' | 'Int64' | 'Double';
      readonly value: bigint | number;
    }
  /** A Timestamptz field with a span of time added. */
  | { readonly kind: 'later'; readonly fieldId: number; readonly type: 'Timestamptz'; readonly by: Duration }
  | ArithmeticOperand;
export interface ArithmeticOperand {
  readonly kind: 'arithmetic';
  readonly operator: Exclude<ArithmeticOperator, '**'>;
  readonly left: Operand;
  readonly right: Operand;
  readonly type: ArithmeticType;
}

/** A value inside a JSON field. An empty path is the whole value. */
export interface JsonSource {
  readonly fieldId: number;
  readonly path: readonly JsonSegment[];
}
/** A key of an object, or an index of an array; digits are either, whichever the value turns out to be. */
export interface JsonSegment {
  readonly key: Uint8Array;
  /** -1: not an index. */
  readonly index: number;
}

export type JsonTest =
  | { readonly kind: 'exists' }
  /** Exact across integers and floats. */
  | { readonly kind: 'numberBetween'; readonly low: NumberBound | null; readonly high: NumberBound | null }
  | { readonly kind: 'stringBetween'; readonly bounds: StringBounds }
  | { readonly kind: 'in'; readonly set: JsonSet }
  | { readonly kind: 'like'; readonly pattern: LikePattern }
  | { readonly kind: 'equalsArray'; readonly items: readonly JsonConstant[] }
  | {
      readonly kind: 'contains';
      readonly quantifier: 'any' | 'all';
      readonly values: readonly JsonConstant[];
    };
export interface NumberBound {
  readonly value: bigint | number;
  readonly open: boolean;
}
/** Values of several types at once, numbers in canonical form (`canonicalNumber`). null: no value of this type. */
export interface JsonSet {
  readonly booleans: ReadonlySet<boolean> | null;
  readonly numbers: ReadonlySet<bigint | number> | null;
  readonly strings: BytesSet | null;
}

/** Evaluated for each row with `bigint` for integers (wrapping at 64 bits) and `number` for floats. */
export type DynamicExpression =
  | { readonly kind: 'constant'; readonly value: bigint | number }
  | { readonly kind: 'json'; readonly source: JsonSource }
  | { readonly kind: 'length'; readonly source: JsonSource }
  | {
      readonly kind: 'arithmetic';
      readonly operator: Exclude<ArithmeticOperator, '**'>;
      readonly left: DynamicExpression;
      readonly right: DynamicExpression;
    };
