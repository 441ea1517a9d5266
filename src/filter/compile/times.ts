import { parseInstant, type Instant } from '../../util/instant.ts';
import { parseDuration, type Duration } from '../../util/iso-duration.ts';
import { UTC } from '../../util/time-zone.ts';
import { filterError, quoted } from '../filter-error.ts';

/** A time that names no offset is in UTC: whoever has a zone fills it in first (`zonedFilter`). */
export function instantOf(at: number, text: string): Instant {
  const instant = parseInstant(text, UTC);
  if (typeof instant === 'bigint') return instant;
  throw filterError(at, `${quoted(text)} is not a time: ${instant.problem}`);
}

export function durationOf(at: number, text: string): Duration {
  const duration = parseDuration(text);
  if (duration !== null) return duration;
  throw filterError(at, `${quoted(text)} is not a span of time; it does not look like P1Y2M3DT4H5M6S`);
}
