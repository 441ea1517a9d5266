import { booleanParam, integerParam } from './key-values.ts';
import type { ScoreRange } from './scores.ts';
import { SEARCH_WINDOW_MAX } from './search-window.ts';
import type { SearchAnswer } from '../proxy-core.ts';
import { MishardsError } from '../../errors/index.ts';
import { isDistance, type Metric } from '../../schema/index.ts';

/**
 * One page of a client's walk through all hits, best first. The client brings back the score of the last hit it got, and a
 * token: here, how many hits of exactly that score it has got. So pages need no state in the proxy, and hits of equal score
 * are neither lost nor repeated.
 */
export interface IteratorPage {
  readonly batchSize: number;
  /** null = the first page. */
  readonly lastBound: number | null;
  readonly tiesSeen: number;
}

export function iteratorPageFromWire(params: ReadonlyMap<string, string>): IteratorPage | null {
  if (!booleanParam(params, 'search_iter_v2')) return null;
  const batchSize = integerParam(params, 'search_iter_batch_size');
  if (batchSize === undefined || batchSize < 1 || batchSize > SEARCH_WINDOW_MAX) {
    throw invalid(
      `batch size [${batchSize ?? ''}] is invalid, it should be in range [1, ${SEARCH_WINDOW_MAX}]`,
    );
  }
  if ((integerParam(params, 'offset') ?? 0) > 0) {
    throw invalid('setting an offset is not permitted when using a search iterator v2');
  }
  const bound = params.get('search_iter_last_bound') ?? '';
  if (bound === '') return { batchSize, lastBound: null, tiesSeen: 0 };
  const lastBound = Math.fround(Number(bound));
  if (!Number.isFinite(lastBound)) throw invalid(`last bound [${bound}] is invalid, it should be a number`);
  return { batchSize, lastBound, tiesSeen: tiesOf(params.get('search_iter_id') ?? '') };
}

/** The greatest number of 32 bits, so no score is above. */
const SCORE_MAX = 3.4028234663852886e38;

/** The range that begins at the last page's last score. `range` is what the client's own range search asks for. */
export function pageRange(page: IteratorPage | null, metric: Metric, range: ScoreRange): ScoreRange {
  if (page === null || page.lastBound === null) return firstPageRange(range);
  const score = isDistance(metric) ? -page.lastBound : page.lastBound;
  return { ...range, scoreUpTo: range.scoreUpTo === null ? score : Math.min(score, range.scoreUpTo) };
}

/** With a bound above, searches pass over no row that is among the best: no later page would bring it. */
function firstPageRange(range: ScoreRange): ScoreRange {
  return { ...range, scoreUpTo: range.scoreUpTo ?? SCORE_MAX };
}

export interface IteratorResult {
  readonly token: string;
  readonly lastBound: number;
}

export function iteratorResult(page: IteratorPage, metric: Metric, { scores }: SearchAnswer): IteratorResult {
  const last = scores.at(-1);
  if (last === undefined) return { token: tokenOf(page.tiesSeen), lastBound: page.lastBound ?? 0 };
  const lastBound = (isDistance(metric) ? -last : last) + 0;
  let ties = 0;
  while (ties < scores.length && scores[scores.length - 1 - ties] === last) ties++;
  const goesOn = ties === scores.length && lastBound === page.lastBound;
  return { token: tokenOf(goesOn ? page.tiesSeen + ties : ties), lastBound };
}

const TOKEN = /^ties-(\d{1,9})$/;

function tokenOf(ties: number): string {
  return `ties-${ties}`;
}

function tiesOf(token: string): number {
  const ties = TOKEN.exec(token)?.[1];
  if (ties === undefined)
    throw invalid(`search iterator token [${token}] is not one this server gave; begin anew`);
  return Number(ties);
}

function invalid(message: string): MishardsError {
  return new MishardsError('PARAMETER_INVALID', message);
}
