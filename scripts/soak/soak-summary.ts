import type { BackgroundWork } from './background-work.ts';
import type { Growth } from './growth-rule.ts';
import type { RecallTally } from './search-check.ts';
import type { StormFigures, WriteStorm } from '../cluster/write-storm.ts';

/** Approximate searches must find this share of the true neighbours. */
const RECALL_MIN = 0.95;

export interface SoakRun {
  readonly minutes: number;
  readonly seed: number;
  readonly storms: Readonly<Record<string, WriteStorm>>;
  readonly work: Readonly<Record<string, BackgroundWork>>;
  readonly recall: RecallTally;
  readonly growth: readonly Growth[];
}

export interface SoakSummary {
  readonly figures: object;
  /** Of the table in docs/operating/soak.md. */
  readonly row: string;
  readonly isGood: boolean;
}

export function summaryOf({ minutes, seed, storms, work, recall, growth }: SoakRun): SoakSummary {
  const each = Object.values(storms);
  const sum = (of: (figures: StormFigures) => number): number =>
    each.reduce((total, { figures }) => total + of(figures), 0);
  const seen = {
    acknowledgedRows: sum((figures) => figures.acknowledgedRows),
    ambiguousRows: sum((figures) => figures.ambiguousRows),
    strongReads: sum((figures) => figures.strongReads),
    failedReads: sum((figures) => figures.failedReads),
    wrong: sum(({ missing, twice, wrong }) => missing + twice + wrong),
  };
  const share = recall.found / Math.max(1, recall.expected);
  const grown = growth.filter(({ isUnbounded }) => isUnbounded);
  const done = Object.fromEntries(Object.entries(work).map(([name, { count }]) => [name, count]));
  const figures = {
    minutes,
    seed,
    ...seen,
    recall: Number(share.toFixed(4)),
    ...done,
    problems: each.flatMap(({ problems }) => problems),
    readErrors: each.flatMap(({ readErrors }) => readErrors),
    failures: Object.fromEntries(Object.entries(work).map(([name, { failures }]) => [name, failures])),
    growth,
  };
  const row = [
    `${minutes} min, seed ${seed}`,
    `${seen.acknowledgedRows} acknowledged, ${seen.ambiguousRows} not`,
    `${seen.wrong} of ${seen.strongReads} wrong, ${seen.failedReads} failed; recall ${share.toFixed(3)}`,
    Object.entries(done)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
    grown.length === 0
      ? `none of ${growth.length} figures`
      : grown.map(({ name, thirds }) => `${name} ${thirds.join(' → ')}`).join('; '),
  ];
  return {
    figures,
    row: `| ${row.join(' | ')} |`,
    isGood: seen.wrong + seen.failedReads + grown.length === 0 && recall.expected > 0 && share >= RECALL_MIN,
  };
}
