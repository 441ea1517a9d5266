import { instantOfWall, offsetMs, utcMs } from './time-zone.ts';

/** A point in time: microseconds since 1970 in UTC, negative before. */
export type Instant = bigint;

/** The years 0 to 9999, which are what text can tell. */
export const INSTANT_RANGE = { min: -62_167_219_200_000_000n, max: 253_402_300_799_999_999n } as const;

const MICROS = 1_000n;
const MINUTE_MS = 60_000;
/** How far clocks of the world are from UTC. */
const OFFSET_MINUTES = { min: -12 * 60, max: 14 * 60 } as const;

const TEXT =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})[T ](?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})(?:[.,](?<fraction>\d+))?(?<offset>Z|(?<sign>[+-])(?<offsetHour>\d{2})(?::(?<offsetMinute>\d{2}))?)?$/;

/** Whether the text tells its distance from UTC itself. */
export function hasOffset(text: string): boolean {
  return TEXT.exec(text)?.groups?.['offset'] !== undefined;
}

/**
 * Reads `2025-01-03T00:00:00.5+08:00` (RFC 3339; also with a blank for the T, or an offset of hours only). Without an offset it
 * is what clocks of `zone` show. Fractions are cut to microseconds. Anything else is answered with why it is not a time.
 */
export function parseInstant(text: string, zone: string): Instant | { readonly problem: string } {
  const groups = TEXT.exec(text)?.groups;
  if (groups === undefined) return { problem: `it does not look like 2025-01-03T00:00:00+08:00` };
  const number = (name: string): number => Number(groups[name] ?? 0);
  const [year, month, day] = [number('year'), number('month'), number('day')];
  const [hour, minute, second] = [number('hour'), number('minute'), number('second')];
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month))
    return { problem: 'there is no such day' };
  if (hour > 23 || minute > 59 || second > 59) return { problem: 'there is no such time of day' };
  const wall = utcMs(year, month, day, hour, minute, second);
  const micros = BigInt((groups['fraction'] ?? '').slice(0, 6).padEnd(6, '0'));
  if (groups['offset'] === undefined) return checked(BigInt(instantOfWall(zone, wall)) * MICROS + micros);
  const size = number('offsetHour') * 60 + number('offsetMinute');
  const offset = groups['sign'] === '-' ? -size : size;
  if (offset < OFFSET_MINUTES.min || offset > OFFSET_MINUTES.max || number('offsetMinute') > 59) {
    return { problem: 'its offset from UTC is outside of -12:00 to +14:00' };
  }
  return checked(BigInt(wall - offset * MINUTE_MS) * MICROS + micros);
}

/** At the ends of the range an offset leads out of it. */
function checked(instant: Instant): Instant | { readonly problem: string } {
  const { min, max } = INSTANT_RANGE;
  if (instant >= min && instant <= max) return instant;
  return { problem: 'it is outside of the years 0 to 9999 in UTC' };
}

/** As clocks of `zone` show it, with their offset: `2025-01-03T00:00:00.5+08:00`, or `Z` where there is none. */
export function formatInstant(instant: Instant, zone: string): string {
  const { year, month, day, hour, minute, second, microsecond, offsetMinutes } = partsOfInstant(
    instant,
    zone,
  );
  const fraction = microsecond === 0 ? '' : `.${padded(microsecond, 6).replace(/0+$/, '')}`;
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
  return `${date}T${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}${fraction}${offsetText(offsetMinutes)}`;
}

export interface InstantParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
  readonly offsetMinutes: number;
}

/** What clocks and calendars of `zone` show. Offsets of old that had seconds are cut to minutes. */
export function partsOfInstant(instant: Instant, zone: string): InstantParts {
  const [ms, rest] = splitMs(instant);
  const offsetMinutes = Math.trunc(offsetMs(zone, ms) / MINUTE_MS);
  const local = new Date(ms + offsetMinutes * MINUTE_MS);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    microsecond: local.getUTCMilliseconds() * 1_000 + rest,
    offsetMinutes,
  };
}

/** Whole milliseconds, rounded down, and the microseconds left. */
export function splitMs(instant: Instant): readonly [ms: number, micros: number] {
  const rest = ((instant % MICROS) + MICROS) % MICROS;
  return [Number((instant - rest) / MICROS), Number(rest)];
}

export function daysOf(year: number, month: number): number {
  return new Date(utcMs(year, month + 1, 0, 0, 0, 0)).getUTCDate();
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${padded(Math.floor(size / 60), 2)}:${padded(size % 60, 2)}`;
}

/** Years before 0 keep their sign, so that the order of digits stays. */
function padded(value: number, width: number): string {
  return `${value < 0 ? '-' : ''}${String(Math.abs(value)).padStart(width, '0')}`;
}
