// A process that serves one address until it is killed or its standard input ends. Prints the address when it listens.
import { createNodeHost } from '../../src/host/node/index.ts';
import { createWire } from '../../src/wire/create-wire.ts';

const address = process.argv[2];
if (address === undefined) throw new Error('usage: wire-child.ts <address>');
const wire = createWire({ host: createNodeHost(), limits: { heartbeatMs: 50 } });
const server = await wire.listen(address, async (method, request) => {
  if (method === 'hang') await new Promise(() => {});
  return request;
});
process.stdout.write(`${server.address}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
