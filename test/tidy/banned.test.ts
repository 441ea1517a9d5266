import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from './source-files.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Path prefixes of the rooms that own the call. */
  readonly owners: readonly string[];
}

const BANS: readonly Ban[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, instead: 'Clock.nowMs', owners: ['src/host/node/'] },
  { pattern: /\bperformance\.now\(/, instead: 'Clock.monotonicMs', owners: ['src/host/node/'] },
  { pattern: /\bMath\.random\(/, instead: 'Random', owners: [] },
  {
    pattern: /\bset(Timeout|Interval)\(|\bAbortSignal\.timeout\(/,
    instead: 'Timers',
    owners: ['src/host/node/'],
  },
  {
    pattern: /\bprocess\.env\b/,
    instead: 'the resolved Config',
    owners: ['src/config/load-config.ts', 'src/cli/'],
  },
  {
    pattern: /'node:fs(\/promises)?'/,
    instead: 'FileSystem',
    owners: ['src/host/node/', 'src/config/load-config.ts', 'src/cli/', 'src/kernel/'],
  },
  { pattern: /\bconsole\.(log|error|warn)\(/, instead: 'Logger', owners: [] },
  { pattern: /\bas any\b|: any\b|<any>/, instead: 'unknown and a check', owners: [] },
  { pattern: /@ts-(ignore|nocheck|expect-error)/, instead: 'a type that holds', owners: [] },
  { pattern: /^\s*(export )?(const )?enum\b/, instead: 'an `as const` tuple', owners: [] },
  { pattern: /export default\b/, instead: 'a named export', owners: [] },
];

const isComment = (line: string): boolean => /^\s*(\/\/|\/?\*)/.test(line);

for (const ban of BANS) {
  test(`${ban.pattern.source} is banned: use ${ban.instead}`, () => {
    const found = sourceFiles('src')
      .filter((file) => !file.isTest && !ban.owners.some((owner) => file.path.startsWith(owner)))
      .flatMap((file) =>
        file.lines
          .map((line, index) => ({ line, at: `${file.path}:${index + 1}` }))
          .filter(({ line }) => !isComment(line) && ban.pattern.test(line))
          .map(({ line, at }) => `${at}: ${line.trim()}`),
      );
    assert.deepEqual(found, []);
  });
}

test('comments have no marks but @NOTE and @TODO(issue)', () => {
  const found = sourceFiles('src').flatMap((file) =>
    file.lines
      .map((line, index) => ({ line, at: `${file.path}:${index + 1}` }))
      .filter(({ line }) => /\b(FIXME|HACK|XXX)\b|\bTODO\b(?!\()/.test(line))
      .map(({ at }) => at),
  );
  assert.deepEqual(found, []);
});
