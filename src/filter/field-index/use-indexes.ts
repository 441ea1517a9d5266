import { fieldIdsOf } from '../compile/field-ids.ts';
import type { Turns } from '../../host/index.ts';
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
  geometry: 16,
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
 * the indexes belong to, and of no other. Looking up and collecting take turns.
 */
export async function useIndexes(
  plan: FilterPlan,
  source: IndexSource,
  rowCount: number,
  turns: Turns,
): Promise<FilterPlan> {
  const predicate = await new Rewriter(source, rowCount, turns).rewrite(plan.predicate, true);
  return predicate === plan.predicate ? plan : { predicate, fieldIds: fieldIdsOf(predicate) };
}

type Chain = Predicate & { readonly kind: 'and' | 'or' };

class Rewriter {
  readonly #source: IndexSource;
  readonly #rowCount: number;
  readonly #turns: Turns;
  /** So that nothing is looked up twice. */
  readonly #found = new Map<Predicate, IndexMatches | null>();

  constructor(source: IndexSource, rowCount: number, turns: Turns) {
    this.#source = source;
    this.#rowCount = rowCount;
    this.#turns = turns;
  }

  /** `isAsserted`: only whether it is true matters, not whether it is false or unknown, because no `not` stands above. */
  async rewrite(predicate: Predicate, isAsserted: boolean): Promise<Predicate> {
    switch (predicate.kind) {
      case 'constant':
      case 'indexed':
        return predicate;
      case 'not': {
        const operand = await this.rewrite(predicate.operand, false);
        return operand === predicate.operand ? predicate : { kind: 'not', operand };
      }
      case 'or':
        return await this.#each(predicate, isAsserted);
      case 'and':
        return await this.#and(predicate, isAsserted);
      default: {
        const matches = await this.#cheaper(predicate);
        return matches === null ? predicate : await this.#collected(matches, isAsserted);
      }
    }
  }

  async #each(predicate: Chain, isAsserted: boolean): Promise<Predicate> {
    const operands: Predicate[] = [];
    for (const operand of predicate.operands) operands.push(await this.rewrite(operand, isAsserted));
    if (operands.every((operand, index) => operand === predicate.operands[index])) return predicate;
    return joined(predicate.kind, operands);
  }

  /** When one condition leaves few rows, the others are asked of those rows, unless their index is cheaper still. */
  async #and(predicate: Chain, isAsserted: boolean): Promise<Predicate> {
    let leader: { readonly of: Predicate; readonly matches: IndexMatches } | null = null;
    for (const operand of predicate.operands) {
      const matches = await this.#cheaper(operand);
      if (matches !== null && (leader === null || matches.count < leader.matches.count))
        leader = { of: operand, matches };
    }
    if (leader === null || leader.matches.count * FEW_ROWS_PART > this.#rowCount)
      return await this.#each(predicate, isAsserted);
    const { count } = leader.matches;
    if (count === 0 && isAsserted) return { kind: 'constant', value: false };
    const operands: Predicate[] = [];
    for (const operand of predicate.operands) {
      const matches = this.#found.get(operand) ?? null;
      const isUseful = operand === leader.of || (matches !== null && matches.cost <= count * COPY_COST);
      operands.push(isUseful ? await this.#collected(matches!, isAsserted) : operand);
    }
    return joined('and', operands);
  }

  async #collected(matches: IndexMatches, isAsserted: boolean): Promise<Predicate> {
    if (isAsserted && matches.count === 0) return { kind: 'constant', value: false };
    if (this.#turns.isOver) await this.#turns.next();
    const known = isAsserted ? null : matches.known;
    const found: Predicate = { kind: 'indexed', isTrue: matches.collect(), known };
    if (matches.rest === undefined || matches.count === 0) return found;
    return { kind: 'and', operands: [found, matches.rest] };
  }

  /** What an index has found, when collecting it is cheaper than a scan. */
  async #cheaper(predicate: Predicate): Promise<IndexMatches | null> {
    const known = this.#found.get(predicate);
    if (known !== undefined) return known;
    if (this.#turns.isOver) await this.#turns.next();
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
    case 'geometry':
    case 'json':
      return SCAN_COSTS[predicate.kind];
    default:
      return null;
  }
}

/** What indexes told first, the rest in the compiler's order. */
function joined(kind: Chain['kind'], operands: readonly Predicate[]): Predicate {
  const flat = operands.flatMap((operand) => (operand.kind === kind ? operand.operands : [operand]));
  return { kind, operands: flat.toSorted(indexedFirst) };
}

function indexedFirst(left: Predicate, right: Predicate): number {
  return Number(right.kind === 'indexed') - Number(left.kind === 'indexed');
}
