// Appends to a channel until it is killed, and says what was acknowledged.
import { createNodeHost } from '../../src/host/node/index.ts';
import { createLocalLog } from '../../src/log/local/local-log.ts';
import { CHANNEL, record } from './local-log.ts';

const log = await createLocalLog({
  host: createNodeHost(),
  directory: process.argv[2]!,
  fileBytesMax: 4_096,
});
const appender = await log.openAppender(CHANNEL, 1);
for (;;) {
  const appends = Array.from({ length: 5 }, () => appender.append([record('x'.repeat(100))]));
  const results = await Promise.all(appends);
  process.stdout.write(`${results.at(-1)!.last}\n`);
}
