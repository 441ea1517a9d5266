import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatInstant, hasOffset, parseInstant, partsOfInstant } from './instant.ts';
import { addDuration, negated, parseDuration } from './iso-duration.ts';
import { isTimeZone } from './time-zone.ts';

const at = (text: string, zone = 'UTC'): bigint => {
  const instant = parseInstant(text, zone);
  assert.ok(typeof instant === 'bigint', `${text} is a time`);
  return instant;
};

test('texts are instants, with their own offset or else the zone', () => {
  assert.equal(at('1970-01-01T00:00:00Z'), 0n);
  assert.equal(at('1969-12-31T23:59:59.999999Z'), -1n);
  assert.equal(at('2025-01-03T00:00:00+08:00'), at('2025-01-02T16:00:00Z'));
  assert.equal(at('2025-01-03 00:00:00-05'), at('2025-01-03T05:00:00Z'));
  assert.equal(at('2025-01-03T00:00:00', 'Asia/Shanghai'), at('2025-01-02T16:00:00Z'));
  assert.equal(at('2025-07-01 12:00:00', 'America/New_York'), at('2025-07-01T16:00:00Z'));
  assert.equal(at('2025-01-01T12:00:00', 'America/New_York'), at('2025-01-01T17:00:00Z'));
  assert.equal(at('0001-01-01T00:00:00Z'), -62_135_596_800_000_000n);
  assert.equal(at('2025-01-03T00:00:00.1234567Z') % 1_000_000n, 123_456n);
  assert.equal(hasOffset('2025-01-03T00:00:00Z'), true);
  assert.equal(hasOffset('2025-01-03T00:00:00'), false);
});

test('clocks that are set forward or back leave every time an instant', () => {
  // 02:30 was skipped on 9 March 2025, and 01:30 came twice on 2 November.
  assert.equal(at('2025-03-09T02:30:00', 'America/New_York'), at('2025-03-09T07:30:00Z'));
  assert.equal(at('2025-11-02T01:30:00', 'America/New_York'), at('2025-11-02T05:30:00Z'));
});

test('what is no time says why', () => {
  const refused: readonly (readonly [text: string, problem: RegExp])[] = [
    ['', /does not look like/],
    ['2025-01-03', /does not look like/],
    ['yesterday', /does not look like/],
    ['2025-02-29T00:00:00Z', /no such day/],
    ['0000-01-01T00:00:00+01:00', /outside of the years 0 to 9999/],
    ['9999-12-31T23:59:59-01:00', /outside of the years 0 to 9999/],
    ['2025-13-01T00:00:00Z', /no such day/],
    ['2025-01-01T24:00:00Z', /time of day/],
    ['2025-01-01T00:00:60Z', /time of day/],
    ['2025-01-01T00:00:00+15:00', /offset/],
    ['2025-01-01T00:00:00-12:30', /offset/],
  ];
  for (const [text, problem] of refused) {
    const result = parseInstant(text, 'UTC');
    assert.ok(typeof result === 'object', text);
    assert.match(result.problem, problem, text);
  }
});

test('instants are shown as the clocks of a zone show them, and read back the same', () => {
  assert.equal(formatInstant(0n, 'UTC'), '1970-01-01T00:00:00Z');
  assert.equal(formatInstant(at('2025-01-02T16:00:00.5Z'), 'Asia/Shanghai'), '2025-01-03T00:00:00.5+08:00');
  assert.equal(formatInstant(at('2025-07-01T16:00:00Z'), 'America/New_York'), '2025-07-01T12:00:00-04:00');
  assert.equal(formatInstant(-1n, 'UTC'), '1969-12-31T23:59:59.999999Z');
  for (const zone of ['UTC', 'Asia/Kathmandu', 'America/St_Johns', 'Europe/Berlin', 'Pacific/Auckland']) {
    for (let month = 0n; month < 600n; month++) {
      const instant = month * 2_629_746_123_457n;
      assert.equal(at(formatInstant(instant, zone)), instant, zone);
    }
  }
  const { year, month, day, hour } = partsOfInstant(at('2025-01-02T16:00:00Z'), 'Asia/Shanghai');
  assert.deepEqual([year, month, day, hour], [2025, 1, 3, 0]);
});

test('durations go by the calendar for months and by the clock for the rest', () => {
  const after = (text: string, duration: string): string =>
    formatInstant(addDuration(at(text), parseDuration(duration)!), 'UTC');
  assert.equal(after('2025-01-31T10:00:00Z', 'P1M'), '2025-02-28T10:00:00Z');
  assert.equal(after('2024-02-29T00:00:00Z', 'P1Y'), '2025-02-28T00:00:00Z');
  assert.equal(after('2025-12-15T00:00:00Z', 'P1M2DT3H4M5.5S'), '2026-01-17T03:04:05.5Z');
  assert.equal(after('2025-01-01T00:00:00Z', 'P2W'), '2025-01-15T00:00:00Z');
  assert.equal(
    formatInstant(addDuration(at('2025-03-31T00:00:00Z'), negated({ months: 1, micros: 0n })), 'UTC'),
    '2025-02-28T00:00:00Z',
  );
  for (const text of ['', 'P', 'PT', '1D', 'P1', 'P1H', 'P-1D', 'P1DT', 'PT1D'])
    assert.equal(parseDuration(text), null, text);
});

test('zones are those of the IANA database', () => {
  for (const zone of ['UTC', 'Asia/Shanghai', 'America/Havana']) assert.ok(isTimeZone(zone), zone);
  for (const zone of ['', '+08:00', 'Mars/Olympus', 'error']) assert.ok(!isTimeZone(zone), zone);
});
