import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { wireConformance } from '../../../test/conformance/wire.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { SocketWire } from './socket-wire.ts';

const directory = mkdtempSync(join(tmpdir(), 'mishards-wire-'));
after(() => rmSync(directory, { recursive: true }));
let paths = 0;

wireConformance({
  name: 'tcp wire',
  address: () => 'tcp://127.0.0.1:0',
  createWire: (limits) => new SocketWire(createNodeHost(1), limits === undefined ? {} : { limits }),
  processes: 'supported',
});

wireConformance({
  name: 'unix wire',
  address: () => `unix://${join(directory, `${paths++}.sock`)}`,
  createWire: (limits) => new SocketWire(createNodeHost(1), limits === undefined ? {} : { limits }),
  processes: 'supported',
});
