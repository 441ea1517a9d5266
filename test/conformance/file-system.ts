import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileErrorCode, type FileSystem } from '../../src/host/index.ts';

/** An empty directory on the file system. */
export interface FileSystemFixture extends AsyncDisposable {
  readonly files: FileSystem;
  readonly root: string;
}

type It = (title: string, run: (files: FileSystem, root: string) => Promise<void>) => void;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

async function failsWith(promise: Promise<unknown>, ...codes: string[]): Promise<void> {
  await assert.rejects(
    promise,
    (error) => codes.includes(fileErrorCode(error) ?? '') || assert.fail(String(error)),
  );
}

/** What every `FileSystem` must do, so that what is tested in memory holds on a disk. */
export function testFileSystem(name: string, createFixture: () => Promise<FileSystemFixture>): void {
  const it: It = (title, run) => {
    test(title, async () => {
      await using fixture = await createFixture();
      await run(fixture.files, fixture.root);
    });
  };
  describe(`${name} file system`, () => {
    testContent(it);
    testNames(it);
    testDirectories(it);
    testAppending(it);
  });
}

function testContent(it: It): void {
  it('reads what was written, whole and in ranges', async (files, root) => {
    await files.write(`${root}/a`, bytes('0123456789'));
    assert.equal(text(await files.read(`${root}/a`)), '0123456789');
    assert.equal(text(await files.readRange(`${root}/a`, 3, 4)), '3456');
    assert.equal(text(await files.readRange(`${root}/a`, 8, 100)), '89');
    assert.equal((await files.readRange(`${root}/a`, 20, 5)).byteLength, 0);
    await files.write(`${root}/a`, bytes('new'));
    assert.equal(text(await files.read(`${root}/a`)), 'new');
    const { sizeBytes, isDirectory } = await files.stat(`${root}/a`);
    assert.deepEqual([sizeBytes, isDirectory], [3, false]);
    assert.ok((await files.freeBytes(`${root}/a`)) > 0);
  });

  it('says what is missing', async (files, root) => {
    const missing = `${root}/missing`;
    assert.equal(await files.exists(missing), false);
    const calls = [
      () => files.read(missing),
      () => files.readRange(missing, 0, 1),
      () => files.stat(missing),
      () => files.freeBytes(missing),
      () => files.remove(missing),
      () => files.removeDirectory(missing),
      () => files.rename(missing, `${root}/b`),
      () => files.copy(missing, `${root}/b`),
      () => files.link(missing, `${root}/b`),
      () => files.setModified(missing, 1),
      () => files.sync(missing),
      () => files.write(`${missing}/a`, bytes('x')),
    ];
    for (const call of calls) await failsWith(call(), 'ENOENT');
    assert.deepEqual(await files.list(root), []);
  });

  it('keeps a modification time to the microsecond', async (files, root) => {
    await files.write(`${root}/a`, bytes('x'));
    const modifiedMs = 1_700_000_000_123.457;
    await files.setModified(`${root}/a`, modifiedMs);
    assert.equal(
      Math.round((await files.stat(`${root}/a`)).modifiedMs * 1000),
      Math.round(modifiedMs * 1000),
    );
  });

  it('writes atomically and makes directories for it', async (files, root) => {
    await files.writeAtomic(`${root}/x/y/a`, bytes('one'));
    await files.writeAtomic(`${root}/x/y/a`, bytes('two'));
    assert.equal(text(await files.read(`${root}/x/y/a`)), 'two');
    assert.deepEqual(await files.list(`${root}/x/y`), ['a']);
  });

  it('writes exclusively, for one of several', async (files, root) => {
    const attempts = Array.from({ length: 8 }, (_, index) =>
      files.writeExclusive(`${root}/x/a`, bytes(String(index))),
    );
    const results = await Promise.allSettled(attempts);
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    await failsWith(files.writeExclusive(`${root}/x/a`, bytes('late')), 'EEXIST');
    assert.equal(text(await files.read(`${root}/x/a`)), String(winner));
    assert.deepEqual(await files.list(`${root}/x`), ['a']);
  });
}

function testNames(it: It): void {
  it('copies, and leaves the source', async (files, root) => {
    await files.write(`${root}/a`, bytes('x'));
    await files.copy(`${root}/a`, `${root}/new/b`);
    await files.write(`${root}/a`, bytes('changed'));
    assert.equal(text(await files.read(`${root}/new/b`)), 'x');
    assert.deepEqual(await files.list(`${root}/new`), ['b']);
  });

  it('renames over files', async (files, root) => {
    await files.write(`${root}/a`, bytes('a'));
    await files.write(`${root}/b`, bytes('b'));
    await files.rename(`${root}/a`, `${root}/b`);
    assert.deepEqual(await files.list(root), ['b']);
    assert.equal(text(await files.read(`${root}/b`)), 'a');
  });

  it('renames directories, over empty ones only', async (files, root) => {
    await files.makeDirectory(`${root}/from`);
    await files.write(`${root}/from/a`, bytes('a'));
    await files.makeDirectory(`${root}/empty`);
    await files.makeDirectory(`${root}/full/x`);
    await failsWith(files.rename(`${root}/from`, `${root}/full`), 'ENOTEMPTY', 'EEXIST');
    await files.rename(`${root}/from`, `${root}/empty`);
    assert.equal(text(await files.read(`${root}/empty/a`)), 'a');
    assert.deepEqual(await files.list(root), ['empty', 'full']);
    await files.write(`${root}/file`, bytes('x'));
    await failsWith(files.rename(`${root}/file`, `${root}/empty`), 'EISDIR');
  });

  it('gives a file a second name, unless it is taken', async (files, root) => {
    await files.write(`${root}/a`, bytes('a'));
    await files.write(`${root}/taken`, bytes('b'));
    await files.makeDirectory(`${root}/directory`);
    await failsWith(files.link(`${root}/a`, `${root}/taken`), 'EEXIST');
    await failsWith(files.link(`${root}/a`, `${root}/directory`), 'EEXIST');
    await failsWith(files.link(`${root}/a`, `${root}/none/b`), 'ENOENT');
    await failsWith(files.link(`${root}/a`, `${root}/taken/b`), 'ENOTDIR');
    assert.equal((await files.stat(`${root}/a`)).linkCount, 1);
    await files.link(`${root}/a`, `${root}/b`);
    assert.equal((await files.stat(`${root}/a`)).linkCount, 2);
    await files.remove(`${root}/a`);
    assert.equal((await files.stat(`${root}/b`)).linkCount, 1);
    assert.equal(text(await files.read(`${root}/b`)), 'a');
  });

  it('keeps files and directories apart', async (files, root) => {
    await files.makeDirectory(`${root}/d`);
    await files.write(`${root}/f`, bytes('x'));
    await failsWith(files.read(`${root}/d`), 'EISDIR');
    await failsWith(files.readRange(`${root}/d`, 0, 1), 'EISDIR');
    await failsWith(files.remove(`${root}/d`), 'EISDIR', 'EPERM');
    await failsWith(files.read(`${root}/f/x`), 'ENOTDIR');
    await failsWith(files.stat(`${root}/f/x`), 'ENOTDIR');
    await failsWith(files.scan(`${root}/f`), 'ENOTDIR');
    await failsWith(files.removeDirectory(`${root}/f`), 'ENOTDIR');
    await failsWith(files.makeDirectory(`${root}/f`), 'EEXIST', 'ENOTDIR');
    await failsWith(files.makeDirectory(`${root}/f/x`), 'EEXIST', 'ENOTDIR');
  });
}

function testDirectories(it: It): void {
  it('lists names in order', async (files, root) => {
    assert.deepEqual(await files.list(`${root}/none`), []);
    for (const name of ['b', 'a.b', 'B', 'a', '.hidden']) await files.write(`${root}/${name}`, bytes(''));
    await files.makeDirectory(`${root}/a-directory/deep`);
    assert.deepEqual(await files.list(root), ['.hidden', 'B', 'a', 'a-directory', 'a.b', 'b']);
    const directories = (await files.scan(root)).filter(({ isDirectory }) => isDirectory);
    assert.deepEqual(directories, [{ name: 'a-directory', isDirectory: true }]);
  });

  it('removes empty directories, and whole trees', async (files, root) => {
    await files.makeDirectory(`${root}/a/b`);
    await files.makeDirectory(`${root}/a/b`);
    await failsWith(files.removeDirectory(`${root}/a`), 'ENOTEMPTY');
    await files.removeDirectory(`${root}/a/b`);
    await files.removeDirectory(`${root}/a`);
    await files.makeDirectory(`${root}/t/u`);
    await files.write(`${root}/t/u/f`, bytes('x'));
    await files.removeTree(`${root}/t`);
    await files.removeTree(`${root}/t`);
    assert.deepEqual(await files.list(root), []);
  });

  it('makes directories nobody else has', async (files, root) => {
    const made = await Promise.all(Array.from({ length: 10 }, () => files.makeUniqueDirectory(`${root}/u`)));
    assert.equal(new Set(made).size, 10);
    assert.deepEqual(
      (await files.list(`${root}/u`)).map((name) => `${root}/u/${name}`),
      made.sort(),
    );
  });
}

function testAppending(it: It): void {
  it('appends, syncs and truncates', async (files, root) => {
    {
      await using file = await files.openAppend(`${root}/new/log`);
      assert.equal(file.sizeBytes, 0);
      await file.append([bytes('one'), bytes(''), bytes('two')]);
      await file.sync();
      assert.equal(file.sizeBytes, 6);
    }
    await using file = await files.openAppend(`${root}/new/log`);
    assert.equal(file.sizeBytes, 6);
    await file.truncate(4);
    await file.append([bytes('!')]);
    await files.sync(`${root}/new/log`);
    assert.equal(text(await files.read(`${root}/new/log`)), 'onet!');
  });

  it('goes on with a file that was removed under it', async (files, root) => {
    await using file = await files.openAppend(`${root}/log`);
    await files.remove(`${root}/log`);
    await file.append([bytes('x')]);
    await file.sync();
    assert.equal(await files.exists(`${root}/log`), false);
  });
}
