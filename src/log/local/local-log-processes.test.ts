import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHANNEL, readAll, record } from '../../../test/support/local-log.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { createLocalLog } from './local-log.ts';

test('what a process acknowledged is read while it runs, and is there after it was killed', async () => {
  await using directory = await temporaryDirectory();
  const log = await createLocalLog({ host: createNodeHost(1), directory: directory.file('log') });
  const script = fileURLToPath(new URL('../../../test/support/log-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, directory.file('log')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (child.killed) continue;
    const read = await log.read(CHANNEL, acknowledged, 1);
    assert.equal(read[0]?.sequence, acknowledged);
    if (acknowledged >= 250) child.kill('SIGKILL');
  }
  await exited;
  await using appender = await log.openAppender(CHANNEL, 2);
  const entries = await readAll(log);
  assert.ok(entries.length >= acknowledged, `${entries.length} entries of ${acknowledged}`);
  assert.equal(appender.lastSequence, entries.length);
  await appender.append([record('after')]);
  assert.equal((await readAll(log)).length, entries.length + 1);
});
