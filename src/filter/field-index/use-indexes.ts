import { fieldIdsOf } from '../compile/field-ids.ts';
import type { FilterPlan, Predicate } from '../plan.ts';
import type { IndexMatches, IndexSource } from './field-index.ts';

/**
 * What a scan costs a row, in rows visited by an index, which is a bit set somewhere in a bitmap: rounded down from what
 * `npm run bench -- filter` shows, so that where both take about as long the columns are read, which others may need too.
 */
const SCAN_COSTS = {
  isNull: 0.01,
  between: 1,
  in: 2,
  like: 16,
  arrayContains: 20,
  json: 80,
} as const;
/** Text is read byte by byte. */
const TEXT_COST = 10;
/** Below this part of the rows the others of a chain are asked on copies of those rows alone, see `evaluateFilter`. */
const FEW_ROWS_PART = 8;
/** What copying a row of a column costs, and asking it. */
const COPY_COST = 8;

/**
 * Puts the answers of indexes in place of the conditions they can tell cheaper than a scan; what is left of the plan needs
 * the columns of its `fieldIds` only. The plan passes the same rows as before, of the segment with `rowCount` rows that
 * the indexes belong to, and of no other.
 */
export function useIndexes(plan: FilterPlan, source: IndexSource, rowCount: number): FilterPlan {
  const predicate = new Rewriter(source, rowCount).rewrite(plan.predicate, true);
  return predicate === plan.predicate ? plan : { predicate, fieldIds: fieldIdsOf(predicate) };
}

class Rewriter {
  readonly #source: IndexSource;
  readonly #rowCount: number;
  /** So that nothing is looked up twice. */
  readonly #found = new Map<Predicate, IndexMatches | null>();

  constructor(source: IndexSource, rowCount: number) {
    this.#source = source;
    this.#rowCount = rowCount;
  }

  /** `isAsserted`: only whether it is true matters, not whether it is false or unknown, because no `not` stands above. */
  rewrite(predicate: Predicate, isAsserted: boolean): Predicate {
    switch (predicate.kind) {
      case 'constant':
      case 'indexed':
        return predicate;
      case 'not': {
        const operand = this.rewrite(predicate.operand, false);
        return operand === predicate.operand ? predicate : { kind: 'not', operand };
      }
      case 'or':
        return this.#or(predicate, isAsserted);
      case 'and':
        return this.#and(predicate, isAsserted);
      default: {
        const matches = this.#cheaper(predicate);
        return matches === null ? predicate : collected(matches, isAsserted);
      }
    }
  }

  #or(predicate: Predicate & { readonly kind: 'and' | 'or' }, isAsserted: boolean): Predicate {
    const operands = predicate.operands.map((operand) => this.rewrite(operand, isAsserted));
    if (operands.every((operand, index) => operand === predicate.operands[index])) return predicate;
    return { kind: predicate.kind, operands: operands.toSorted(indexedFirst) };
  }

  /** When one condition leaves few rows, the others are asked of those rows, unless their index is cheaper still. */
  #and(predicate: Predicate & { readonly kind: 'and' | 'or' }, isAsserted: boolean): Predicate {
    const found = predicate.operands.map((operand) => this.#cheaper(operand));
    const leader = found.reduce<IndexMatches | null>(
      (least, matches) =>
        matches !== null && (least === null || matches.count < least.count) ? matches : least,
      null,
    );
    if (leader === null || leader.count * FEW_ROWS_PART > this.#rowCount)
      return this.#or(predicate, isAsserted);
    if (leader.count === 0 && isAsserted) return { kind: 'constant', value: false };
    const others = predicate.operands.filter((_, index) => found[index] !== leader);
    const rest = others.map((operand) => {
      const matches = this.#found.get(operand) ?? null;
      const isUseful = matches !== null && matches.cost <= leader.count * COPY_COST;
      return isUseful ? collected(matches, isAsserted) : operand;
    });
    return { kind: 'and', operands: [collected(leader, isAsserted), ...rest.toSorted(indexedFirst)] };
  }

  /** What an index has found, when collecting it is cheaper than a scan. */
  #cheaper(predicate: Predicate): IndexMatches | null {
    const known = this.#found.get(predicate);
    if (known !== undefined) return known;
    const costOfScan = scanCost(predicate);
    const matches = costOfScan === null ? null : this.#source.matches(predicate);
    const cheaper = matches !== null && matches.cost <= costOfScan! * this.#rowCount ? matches : null;
    this.#found.set(predicate, cheaper);
    return cheaper;
  }
}

/** A row; null: no index tells such a condition. */
function scanCost(predicate: Predicate): number | null {
  switch (predicate.kind) {
    case 'between':
    case 'in':
      return predicate.operand.kind === 'column' && predicate.operand.type === 'VarChar'
        ? TEXT_COST
        : SCAN_COSTS[predicate.kind];
    case 'isNull':
    case 'like':
    case 'arrayContains':
    case 'json':
      return SCAN_COSTS[predicate.kind];
    default:
      return null;
  }
}

function collected(matches: IndexMatches, isAsserted: boolean): Predicate {
  if (isAsserted && matches.count === 0) return { kind: 'constant', value: false };
  return { kind: 'indexed', isTrue: matches.collect(), known: isAsserted ? null : matches.known };
}

/** The rest stays in the compiler's order. */
function indexedFirst(left: Predicate, right: Predicate): number {
  return Number(right.kind === 'indexed') - Number(left.kind === 'indexed');
}
