import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testMetastore } from '../../../test/conformance/metastore.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { isErrorWithCode } from '../../errors/index.ts';
import { createNodeHost } from '../../host/node/index.ts';
import { createSimulatedHost } from '../../host/simulated/index.ts';
import type { Metastore } from '../metastore.ts';
import { createSqliteMetastore } from './sqlite-metastore.ts';

testMetastore('sqlite', async () => {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const { clock, timers } = createSimulatedHost();
  const host = { ...createNodeHost(1), clock, timers };
  const path = directory.file('meta/metadata.sqlite');
  return {
    keptRevisionsBelow: 100,
    open: async () => stack.use(await createSqliteMetastore({ host, path, changesMax: 64 })),
    passTime: (durationMs) => timers.advance(durationMs),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
});

const host = createNodeHost(1);

async function put(store: Metastore, key: string, value: string): Promise<void> {
  await store.transact({ compares: [], then: [{ kind: 'put', key, value }] });
}

test('another process sees, changes and is told of the same metadata', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('metadata.sqlite');
  await using store = await createSqliteMetastore({ host, path });
  await put(store, 'counter', '0');
  const { promise: told, resolve } = Promise.withResolvers<string>();
  await using _watch = store.watch('child/', 0, {
    onEvents: ([event]) => resolve(event?.kind === 'put' ? event.entry.value : 'deleted'),
    onReset: (reason) => assert.fail(reason),
  });
  const script = fileURLToPath(new URL('../../../test/support/metastore-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, path, '60'], { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(child, 'exit');
  assert.equal(await told, 'started');
  for (let round = 0; round < 60; round++) await increment(store);
  const [exitCode] = await exited;
  assert.equal(exitCode, 0);
  assert.equal((await store.get('counter'))?.value, '120');
});

async function increment(store: Metastore): Promise<void> {
  for (let succeeded = false; !succeeded;) {
    const { value, modRevision: revision } = (await store.get('counter'))!;
    const next = { kind: 'put', key: 'counter', value: String(Number(value) + 1) } as const;
    ({ succeeded } = await store.transact({
      compares: [{ kind: 'mod-revision', key: 'counter', revision }],
      then: [next],
    }));
  }
}

test('metadata outlives the process', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('metadata.sqlite');
  {
    await using store = await createSqliteMetastore({ host, path });
    await put(store, 'a', '1');
  }
  await using store = await createSqliteMetastore({ host, path });
  assert.equal((await store.get('a'))?.modRevision, 1);
  assert.equal((await store.range('')).revision, 1);
});

test('several processes may make a new file at once', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('metadata.sqlite');
  await using stack = new AsyncDisposableStack();
  const opening = Array.from({ length: 5 }, () => createSqliteMetastore({ host, path }));
  for (const store of await Promise.all(opening)) await put(stack.use(store), 'a', '1');
});

test('files that are not ours are refused and left as they are', async () => {
  await using directory = await temporaryDirectory();
  const text = directory.file('text');
  await writeFile(text, 'this is not a database at all, only a text that is long enough to look like a page');
  const foreign = directory.file('foreign.sqlite');
  const db = new DatabaseSync(foreign);
  db.exec('CREATE TABLE customers (id INTEGER)');
  db.close();
  for (const path of [text, foreign]) {
    const before = await readFile(path);
    await assert.rejects(createSqliteMetastore({ host, path }), (error) =>
      isErrorWithCode(error, 'CONFIG_INVALID'),
    );
    assert.deepEqual(await readFile(path), before);
  }
});

test('a file of a newer version is refused', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('metadata.sqlite');
  await (await createSqliteMetastore({ host, path }))[Symbol.asyncDispose]();
  const db = new DatabaseSync(path);
  db.exec('UPDATE mishards_schema SET version = 99');
  db.close();
  await assert.rejects(createSqliteMetastore({ host, path }), /schema version 99.*upgrade/);
});

test('a call gives up when another process holds the lock for too long', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('metadata.sqlite');
  await using store = await createSqliteMetastore({ host, path, busyTimeoutMs: 30 });
  const db = new DatabaseSync(path);
  db.exec('BEGIN IMMEDIATE');
  await assert.rejects(put(store, 'a', '1'), (error) => isErrorWithCode(error, 'METASTORE_UNAVAILABLE'));
  assert.equal(await store.get('a'), null);
  db.exec('ROLLBACK');
  db.close();
  await put(store, 'a', '1');
});

test('the kept changes are bounded by bytes', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('metadata.sqlite');
  await using store = await createSqliteMetastore({ host, path, changesBytesMax: 10_000 });
  for (let round = 0; round < 130; round++) await put(store, 'a', 'x'.repeat(1_000));
  const db = new DatabaseSync(path, { readOnly: true });
  const { kept } = db.prepare('SELECT count(*) AS kept FROM changes').get() as { kept: number };
  db.close();
  assert.ok(kept < 9 + 64, `${kept} changes are kept`);
});
