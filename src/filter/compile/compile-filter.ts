import type { CollectionSchema } from '../../schema/index.ts';
import type { CallNode, ExistsNode, FilterNode, LikeNode, NullNode, UnaryNode } from '../ast.ts';
import { filterError } from '../filter-error.ts';
import type { FilterPlan, Predicate } from '../plan.ts';
import { compileArithmetic } from './arithmetic.ts';
import { compileComparison, joinRange } from './comparison.ts';
import { fieldIdsOf } from './field-ids.ts';
import { compileGeometry } from './geometry.ts';
import { foldUnary } from './fold.ts';
import { joinLogical } from './join-logical.ts';
import { compileLike } from './like-pattern.ts';
import { compileContains, compileIn } from './membership.ts';
import { resolveField } from './resolve-field.ts';
import { durationOf, instantOf } from './times.ts';
import { templateValue, type TemplateValues } from './template-values.ts';
import { describe, type Typed, type TypedNode } from './typed.ts';
import { valueSet } from './value-sets.ts';

/**
 * Binds a parsed filter to a schema: looks up fields, checks types, fills in parameters and folds constants. Errors:
 * `FILTER_INVALID`, naming the fields and types that do not go together. Values without a parameter are ignored.
 */
export function compileFilter(
  node: FilterNode,
  schema: CollectionSchema,
  templateValues: TemplateValues = {},
): FilterPlan {
  const compiler = new Compiler(schema, templateValues);
  const predicate = compiler.condition(node);
  return { predicate, fieldIds: fieldIdsOf(predicate) };
}

class Compiler {
  readonly #schema: CollectionSchema;
  readonly #values: TemplateValues;

  constructor(schema: CollectionSchema, values: TemplateValues) {
    this.#schema = schema;
    this.#values = values;
  }

  /** A node that must be true or false: a condition, a boolean constant or a Bool field. */
  condition(node: FilterNode): Predicate {
    const typed = this.#typed(node);
    if (typed.kind === 'predicate') return typed.predicate;
    if (typed.kind === 'constant' && typeof typed.value === 'boolean')
      return { kind: 'constant', value: typed.value };
    if (typed.kind === 'operand' && typed.operand.type === 'Bool') {
      return { kind: 'in', operand: typed.operand, set: valueSet('Bool', [true]) };
    }
    throw filterError(node.at, `${describe({ node, typed })} is not a condition; compare it with something`);
  }

  #typed(node: FilterNode): Typed {
    switch (node.kind) {
      case 'literal':
        return { kind: 'constant', value: node.value };
      case 'template':
        return { kind: 'constant', value: templateValue(node.at, node.name, this.#values) };
      case 'list':
        return { kind: 'constant', value: node.items.map((item) => this.#constant(item)) };
      case 'instant':
        return { kind: 'instant', instant: instantOf(node.at, node.text) };
      case 'interval':
        return { kind: 'interval', duration: durationOf(node.at, node.text) };
      case 'field':
        return resolveField(this.#schema, node);
      case 'unary':
        return this.#unary(node);
      case 'arithmetic':
        return compileArithmetic(node.at, node.operator, this.#node(node.left), this.#node(node.right));
      case 'compare':
        return compileComparison(node.at, node.operator, this.#node(node.left), this.#node(node.right));
      case 'range': {
        const operand = this.#node(node.operand);
        const lower = compileComparison(node.at, node.firstOperator, this.#node(node.first), operand);
        const upper = compileComparison(node.at, node.secondOperator, operand, this.#node(node.second));
        return joinRange(node.at, lower, upper, operand);
      }
      case 'call':
        return this.#call(node);
      default:
        return asTyped(this.#predicate(node));
    }
  }

  #predicate(
    node: Extract<FilterNode, { kind: 'in' | 'like' | 'isNull' | 'exists' | 'not' | 'and' | 'or' }>,
  ): Predicate {
    switch (node.kind) {
      case 'in':
        return negatedIf(node.negated, compileIn(node.at, this.#node(node.operand), this.#node(node.list)));
      case 'like':
        return negatedIf(node.negated, this.#like(node));
      case 'isNull':
        return negatedIf(node.negated, this.#isNull(node));
      case 'exists':
        return this.#exists(node);
      case 'not':
        return negatedIf(true, this.condition(node.operand));
      default:
        return joinLogical(
          node.kind,
          node.operands.map((operand) => this.condition(operand)),
        );
    }
  }

  #node(node: FilterNode): TypedNode {
    return { node, typed: this.#typed(node) };
  }

  #constant(item: FilterNode) {
    const typed = this.#typed(item);
    if (typed.kind === 'constant') return typed.value;
    throw filterError(item.at, `a list holds constants only, not ${describe({ node: item, typed })}`);
  }

  /** `-x` is `0 - x` and `~x` is `x ^ -1`, both exact in two's complement. */
  #unary(node: UnaryNode): Typed {
    const operand = this.#node(node.operand);
    if (operand.typed.kind === 'constant') {
      return { kind: 'constant', value: foldUnary(node.at, node.operator, operand.typed.value) };
    }
    const value = node.operator === '~' ? -1n : 0n;
    const constant: TypedNode = {
      node: { kind: 'literal', at: node.at, value },
      typed: { kind: 'constant', value },
    };
    if (node.operator === '~') return compileArithmetic(node.at, '^', operand, constant);
    return node.operator === '-'
      ? compileArithmetic(node.at, '-', constant, operand)
      : compileArithmetic(node.at, '+', operand, constant);
  }

  #like(node: LikeNode): Predicate {
    const operand = this.#node(node.operand);
    const pattern = this.#node(node.pattern);
    if (pattern.typed.kind !== 'constant' || typeof pattern.typed.value !== 'string') {
      throw filterError(node.at, `'like' takes a constant string as pattern, not ${describe(pattern)}`);
    }
    const compiled = compileLike(pattern.typed.value);
    if (operand.typed.kind === 'json') {
      return { kind: 'json', source: operand.typed.source, test: { kind: 'like', pattern: compiled } };
    }
    if (operand.typed.kind === 'operand' && operand.typed.operand.type === 'VarChar') {
      return { kind: 'like', operand: operand.typed.operand, pattern: compiled };
    }
    throw filterError(node.at, `'like' takes a VarChar or JSON field, not ${describe(operand)}`);
  }

  /** Of a key, a missing one is null too; of a whole field, only the row's value counts. */
  #isNull(node: NullNode): Predicate {
    const typed = this.#typed(node.operand);
    if (typed.kind === 'json') {
      const { source } = typed;
      if (source.path.length === 0) return { kind: 'isNull', fieldId: source.fieldId };
      return { kind: 'not', operand: { kind: 'json', source, test: { kind: 'exists' } } };
    }
    if (typed.kind === 'array' || typed.kind === 'geometry' || typed.kind === 'vector')
      return { kind: 'isNull', fieldId: typed.field.id };
    if (typed.kind === 'operand' && typed.operand.kind === 'column') {
      return { kind: 'isNull', fieldId: typed.operand.fieldId };
    }
    throw filterError(
      node.at,
      `elements of an Array are never null; test the field, or compare array_length`,
    );
  }

  #exists(node: ExistsNode): Predicate {
    const operand = this.#node(node.operand);
    if (operand.typed.kind === 'json' && operand.typed.source.path.length > 0) {
      return { kind: 'json', source: operand.typed.source, test: { kind: 'exists' } };
    }
    throw filterError(node.at, `'exists' takes a key of a JSON field, not ${describe(operand)}`);
  }

  #call(node: CallNode): Typed {
    const field = this.#node(node.arguments[0]!);
    if (node.name.startsWith('st_')) {
      const rest = node.arguments.slice(1).map((argument) => this.#node(argument));
      return { kind: 'predicate', predicate: compileGeometry(node, field, rest) };
    }
    if (node.name !== 'array_length') return compileContains(node, field, this.#node(node.arguments[1]!));
    if (field.typed.kind === 'json') {
      return { kind: 'dynamic', expression: { kind: 'length', source: field.typed.source } };
    }
    if (field.typed.kind !== 'array') {
      throw filterError(node.at, `array_length takes an Array or JSON field, not ${describe(field)}`);
    }
    return {
      kind: 'operand',
      operand: { kind: 'length', fieldId: field.typed.field.id, type: 'Int32' },
      range: { low: 0n, high: 2n ** 31n - 1n },
    };
  }
}

function asTyped(predicate: Predicate): Typed {
  return predicate.kind === 'constant'
    ? { kind: 'constant', value: predicate.value }
    : { kind: 'predicate', predicate };
}

function negatedIf(negated: boolean, predicate: Predicate): Predicate {
  if (!negated) return predicate;
  if (predicate.kind === 'constant') return { kind: 'constant', value: !predicate.value };
  return predicate.kind === 'not' ? predicate.operand : { kind: 'not', operand: predicate };
}
