/**
 * Zones of the IANA database, as Node's ICU knows them. Formatters are costly to make, so a few are kept; a cluster whose
 * collections use more zones than that makes them anew.
 */
const FORMATTERS_MAX = 64;
const formatters = new Map<string, Intl.DateTimeFormat>();
export const UTC = 'UTC';

/** Offsets such as `+08:00`, which ICU takes for zones too, are none: they know no summer time. */
export function isTimeZone(name: string): boolean {
  if (name === '' || /^[+-]/.test(name)) return false;
  try {
    formatterOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Milliseconds that clocks of the zone are ahead of UTC at an instant (milliseconds since 1970). */
export function offsetMs(zone: string, instantMs: number): number {
  if (zone === UTC) return 0;
  const second = Math.floor(instantMs / 1_000) * 1_000;
  const fields: Record<string, number> = {};
  let isBeforeChrist = false;
  for (const { type, value } of formatterOf(zone).formatToParts(second)) {
    if (type === 'era') isBeforeChrist = value.startsWith('B');
    else if (type !== 'literal') fields[type] = Number(value);
  }
  const { year, month, day, hour, minute } = fields;
  const local = utcMs(isBeforeChrist ? 1 - year! : year!, month!, day!, hour!, minute!, fields['second']!);
  return local - second;
}

/** The instant at which clocks of the zone show what UTC's show at `wallMs`. Of two such instants it is the first. */
export function instantOfWall(zone: string, wallMs: number): number {
  const first = wallMs - offsetMs(zone, wallMs);
  const offset = offsetMs(zone, first);
  const second = wallMs - offset;
  if (second === first || offsetMs(zone, second) === offset) return second;
  // The clocks were set forward past this time; count on from before.
  return Math.max(first, second);
}

/** As `Date.UTC`, but for any year. */
export function utcMs(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second);
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (formatters.size >= FORMATTERS_MAX) formatters.delete(formatters.keys().next().value!);
  formatters.set(zone, made);
  return made;
}
