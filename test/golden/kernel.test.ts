import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKernel, INDEX_TYPES } from '../../src/kernel/index.ts';
import { GOLDEN_VERSIONS, openGolden, readManifest, searchGolden } from './kernel-files.ts';

const SIZE_MAX = 24 * 1024;
const versions = readdirSync(GOLDEN_VERSIONS).filter((name) => /^v\d+$/.test(name));

test('there are golden files of every type of index', async () => {
  const manifests = await Promise.all(
    versions.map((version) => readManifest(join(GOLDEN_VERSIONS, version))),
  );
  const types = new Set(manifests.flat().map(({ index }) => index?.type));
  assert.deepEqual(
    INDEX_TYPES.filter((type) => !types.has(type)),
    [],
    'run scripts/golden-kernel-files.ts for the new type',
  );
});

for (const version of versions) {
  test(`files of container ${version} open and answer as when they were written`, async () => {
    const folder = join(GOLDEN_VERSIONS, version);
    await using kernel = createKernel({ threads: 1, queueMax: 4 });
    const files = await readManifest(folder);
    assert.ok(files.length > 0);
    for (const golden of files) {
      assert.ok((await stat(join(folder, golden.file))).size < SIZE_MAX, `${golden.file} is small`);
      using opened = await openGolden(kernel, folder, golden);
      assert.deepEqual(
        await searchGolden(kernel, opened, golden.metric),
        golden.rows,
        `${golden.file} answers otherwise`,
      );
    }
  });
}
