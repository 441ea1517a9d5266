import { daysOf, splitMs, type Instant } from './instant.ts';
import { utcMs } from './time-zone.ts';

/** Months and years have no fixed length; everything else has. */
export interface Duration {
  readonly months: number;
  readonly micros: bigint;
}

const TEXT =
  /^P(?:(?<years>\d{1,4})Y)?(?:(?<months>\d{1,5})M)?(?:(?<weeks>\d{1,6})W)?(?:(?<days>\d{1,6})D)?(?:T(?=\d)(?:(?<hours>\d{1,7})H)?(?:(?<minutes>\d{1,8})M)?(?:(?<seconds>\d{1,10})(?:\.(?<fraction>\d{1,6}))?S)?)?$/;

const SECOND = 1_000_000n;
const UNITS = {
  weeks: 7n * 86_400n * SECOND,
  days: 86_400n * SECOND,
  hours: 3_600n * SECOND,
  minutes: 60n * SECOND,
  seconds: SECOND,
} as const;

/**
 * Reads an ISO 8601 duration such as `P1Y2M3DT4H5M6.5S`; null where it is none, or too long to be added to every instant within 64
 * bits.
 */
export function parseDuration(text: string): Duration | null {
  const groups = TEXT.exec(text)?.groups;
  if (groups === undefined || text === 'P') return null;
  let micros = BigInt((groups['fraction'] ?? '').padEnd(6, '0'));
  for (const [name, unit] of Object.entries(UNITS)) micros += BigInt(groups[name] ?? 0) * unit;
  return { months: Number(groups['years'] ?? 0) * 12 + Number(groups['months'] ?? 0), micros };
}

export function negated({ months, micros }: Duration): Duration {
  return { months: -months, micros: -micros };
}

/**
 * First the months, in the calendar of UTC (the last day of a month stands for days it lacks: a month after 31 January is 28
 * February), then the rest.
 */
export function addDuration(instant: Instant, { months, micros }: Duration): Instant {
  if (months === 0) return instant + micros;
  const [ms, rest] = splitMs(instant);
  const date = new Date(ms);
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth() + months;
  const year = Math.floor(month / 12);
  const inYear = month - year * 12 + 1;
  const day = Math.min(date.getUTCDate(), daysOf(year, inYear));
  const dayMs = ms - utcMs(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), 0, 0, 0);
  return BigInt(utcMs(year, inYear, day, 0, 0, 0) + dayMs) * 1_000n + BigInt(rest) + micros;
}
