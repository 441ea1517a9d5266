import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import type { MemberReport } from '../../src/cli/cluster/cluster.ts';
import type { ClusterStatus } from '../../src/server/status-pages.ts';
import type { SegmentInspection } from '../../src/server/inspect-segments.ts';
import { succeeded } from '../support/milvus.ts';
import { createPoints, indexAndLoad, randomPoints } from '../support/points.ts';

const EXECUTABLE = join(import.meta.dirname, '..', '..', 'bin', 'mishards.js');

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

async function mishards(...parameters: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [EXECUTABLE, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, error] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray());
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, out: (await out!).join(''), error: (await error!).join('') };
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'mishards-cli-'));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('help names every command', async () => {
  const { code, out } = await mishards('--help');
  assert.equal(code, 0);
  for (const name of [
    'standalone',
    'proxy',
    'reader',
    'writer',
    'cluster',
    'status',
    'route',
    'config',
    'segment',
  ]) {
    assert.match(out, new RegExp(`^  ${name}\\b`, 'm'));
  }
});

test('config check prints values with their origins, and what is wrong', async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, 'mishards.yaml');
    await writeFile(file, 'proxy:\n  port: 19999\n');
    const good = await mishards('config', 'check', '--config', file, '--set', 'writer.flush_rows=5000');
    assert.equal(good.code, 0, good.error);
    assert.match(good.out, /^proxy\.port: 19999 +# mishards\.yaml$/m);
    assert.match(good.out, /^writer\.flush_rows: 5000 +# flag --set$/m);
    const bad = await mishards('config', 'check', '--set', 'proxy.prot=1');
    assert.equal(bad.code, 1);
    assert.match(bad.error, /unknown key proxy\.prot; did you mean proxy\.port\?/);
  });
});

test('numbers out of range and nodes without a name are refused with the cure', async () => {
  const readers = await mishards('cluster', '--readers', 'oops');
  assert.equal(readers.code, 1);
  assert.match(readers.error, /whole number from 1 to 1000/);
  const nameless = await mishards('reader');
  assert.equal(nameless.code, 1);
  assert.match(nameless.error, /node\.id is empty.*--set node\.id=reader-1/);
});

test('a cluster from the command line answers, explains itself, and stops on SIGTERM', async () => {
  await inDirectory(async (directory) => {
    const size = '--writers 1 --readers 2 --proxies 1 --port 0 --management-port 0'.split(' ');
    const child = spawn(
      process.execPath,
      [EXECUTABLE, 'cluster', '--data', directory, '--json', '--quiet', '--set', 'kernel.threads=1', ...size],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = once(child, 'exit');
    try {
      await askCluster(child);
    } finally {
      child.kill('SIGTERM');
    }
    assert.deepEqual(await exited, [0, null]);
    await checkSegments(directory);
  });
});

async function askCluster(child: ChildProcessByStdio<null, Readable, null>): Promise<void> {
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { members } = JSON.parse(line) as { readonly members: readonly MemberReport[] };
  assert.deepEqual(
    members.map((member) => member.id),
    ['writer-1', 'reader-1', 'reader-2', 'proxy-1'],
  );
  const { milvus, management } = members.at(-1)!.addresses!;
  await fillPoints(milvus!);

  const status = JSON.parse(
    (await mishards('status', '--json', '--management', management)).out,
  ) as ClusterStatus;
  assert.equal(status.writer?.nodeId, 'writer-1');
  assert.equal(status.nodes.filter((node) => node.role === 'reader').length, 2);
  assert.equal(status.collections[0]!.rowsInSegments, 2_000);
  const route = await mishards('route', 'explain', 'points', '--management', management);
  assert.match(route.out, /segment \d+ \d+ rows: reader-[12] then reader-[12]/);
  const missing = await mishards('route', 'explain', 'nothing', '--management', management);
  assert.equal(missing.code, 1);
  assert.match(missing.error, /no collection or alias nothing/);
  const metrics = await (await fetch(`${management}/metrics`)).text();
  const inserts = metrics
    .split('\n')
    .find((line) => /^mishards_request_seconds_count.*method="Insert"/.test(line));
  assert.match(inserts ?? '', /code="OK".* 1$/);
  assert.equal((await fetch(`${management}/readyz`)).status, 200);
}

async function fillPoints(address: string): Promise<void> {
  const client = new MilvusClient({ address, logLevel: 'error' });
  await client.connectPromise;
  await createPoints(client, 'points', 1);
  await indexAndLoad(client, 'points');
  succeeded(await client.insert({ collection_name: 'points', data: randomPoints(2_000) }));
  succeeded(await client.flushSync({ collection_names: ['points'] }));
  await client.closeConnection();
}

/** `segment inspect` reads the files of the stopped cluster, and says which one is damaged. */
async function checkSegments(directory: string): Promise<void> {
  const inspect = ['segment', 'inspect', '--json', '--set', `data.directory=${directory}`];
  const whole = JSON.parse((await mishards(...inspect)).out) as readonly SegmentInspection[];
  assert.deepEqual(
    whole.map(({ meta, damage }) => [meta.rowCount, damage]),
    [[2_000, null]],
  );
  const objects = await readdir(join(directory, 'objects'), { recursive: true });
  const vectors = join(
    directory,
    'objects',
    objects.find((name) => name.endsWith('.vec'))!,
  );
  const bytes = await readFile(vectors);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(vectors, bytes);
  const damaged = await mishards(...inspect);
  assert.equal(damaged.code, 1);
  assert.match(damaged.out, /"damage": ".+"/);
}
