import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testFileSystem } from '../../../test/conformance/file-system.ts';
import { testSeed } from '../../../test/support/seed.ts';
import { fileErrorCode } from '../file-error.ts';
import { SeededRandom } from '../random.ts';
import { MemoryDisk, fileError } from './index.ts';
import { SimulatedClock } from './simulated-time.ts';

const newDisk = (capacityBytes?: number): MemoryDisk =>
  new MemoryDisk({ clock: new SimulatedClock(), ...(capacityBytes === undefined ? {} : { capacityBytes }) });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);
const hasCode = (code: string) => (error: unknown) => fileErrorCode(error) === code;

testFileSystem('memory', async () => {
  const files = newDisk().mount();
  await files.makeDirectory('/root');
  return { files, root: '/root', [Symbol.asyncDispose]: async () => {} };
});

test('a power cut leaves what was synced', async () => {
  const disk = newDisk();
  const files = disk.mount();
  await files.writeAtomic('/atomic', bytes('safe'));
  await files.makeDirectory('/directory');
  await files.write('/directory/written', bytes('lost'));
  await files.write('/directory/synced', bytes('its content, not its name'));
  await files.sync('/directory/synced');
  const log = await files.openAppend('/log');
  await log.append([bytes('safe')]);
  await log.sync();
  await log.append([bytes(' and lost')]);
  await files.link('/atomic', '/directory/linked');
  disk.crash();
  await assert.rejects(files.list('/'), hasCode('EIO'));
  await assert.rejects(log.append([bytes('x')]), hasCode('EIO'));
  const after = disk.mount();
  assert.deepEqual(await after.list('/'), ['atomic', 'directory', 'log']);
  assert.deepEqual(await after.list('/directory'), []);
  assert.equal(text(await after.read('/log')), 'safe');
});

test('a power cut does not undo what was synced by directory, nor do removals unless it was', async () => {
  const disk = newDisk();
  const files = disk.mount();
  await files.writeAtomic('/a', bytes('a'));
  await files.writeAtomic('/b', bytes('b'));
  await files.link('/a', '/c');
  await files.remove('/a');
  await files.sync('/');
  await files.remove('/b');
  disk.crash();
  assert.deepEqual(await disk.mount().list('/'), ['b', 'c']);
});

test(`a torn end keeps what was synced before it (seed ${testSeed})`, async () => {
  const random = new SeededRandom(testSeed);
  const sizes = new Set<number>();
  for (let run = 0; run < 50; run++) {
    const disk = newDisk();
    const log = await disk.mount().openAppend('/log');
    await log.append([new Uint8Array(700).fill(1)]);
    await log.sync();
    await log.append([new Uint8Array(5_000).fill(2)]);
    disk.crash(random);
    const left = await disk.mount().read('/log');
    sizes.add(left.byteLength);
    assert.ok(left.byteLength >= 700 && left.byteLength <= 5_700);
    assert.ok(left.subarray(0, 700).every((byte) => byte === 1));
    assert.ok(left.subarray(700).every((byte) => byte === 0 || byte === 2));
  }
  assert.ok(sizes.size > 10);
});

test('a crash can be set for any operation to come', async () => {
  const disk = newDisk();
  const files = disk.mount();
  disk.crashAfter(2);
  await files.writeAtomic('/a', bytes('a'));
  await files.writeAtomic('/b', bytes('b'));
  await assert.rejects(files.writeAtomic('/c', bytes('c')), hasCode('EIO'));
  assert.deepEqual(await disk.mount().list('/'), ['a', 'b']);
});

test('a killed process leaves what it wrote', async () => {
  const disk = newDisk();
  const files = disk.mount();
  await files.write('/a', bytes('a'));
  files.kill();
  await assert.rejects(files.read('/a'), hasCode('EIO'));
  assert.equal(text(await disk.mount().read('/a')), 'a');
});

test('a full disk takes what still fits', async () => {
  const disk = newDisk(10);
  const files = disk.mount();
  await files.write('/a', bytes('12345678'));
  const log = await files.openAppend('/log');
  await assert.rejects(log.append([bytes('abcd')]), hasCode('ENOSPC'));
  assert.equal(text(await files.read('/log')), 'ab');
  await assert.rejects(files.writeAtomic('/b', bytes('x')), hasCode('ENOSPC'));
  assert.equal(await files.exists('/b'), false);
  await files.remove('/a');
  await files.writeAtomic('/b', bytes('x'));
  assert.equal(disk.usedBytes(), 3);
});

test('operations can be failed and held', async () => {
  const files = newDisk().mount();
  await files.write('/a', bytes('a'));
  files.intercept = (operation, path) => {
    if (operation === 'sync') throw fileError('EIO', operation, path);
  };
  await assert.rejects(files.sync('/a'), hasCode('EIO'));
  const gate = Promise.withResolvers<void>();
  files.intercept = () => gate.promise;
  const reading = files.read('/a');
  files.intercept = undefined;
  await files.write('/a', bytes('b'));
  gate.resolve();
  assert.equal(text(await reading), 'b');
});

test('a disk with a bound says what is left of it', async () => {
  const disk = newDisk(100);
  const files = disk.mount();
  await files.write('/a', new Uint8Array(30));
  assert.equal(await files.freeBytes('/a'), 70);
  disk.capacityBytes = 10;
  assert.equal(await files.freeBytes('/'), 0);
});
