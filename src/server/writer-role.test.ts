import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showFigures } from './writer-role.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { CALL, WriterCluster, insertOf } from '../../test/support/writer-cluster.ts';

test('a writer shows what it holds while it is active, and zeros after', async () => {
  await using cluster = new WriterCluster();
  const process = await cluster.startActive('w');
  const metrics = new Metrics({});
  showFigures(process.writer, metrics);
  const shown = async (): Promise<Map<string, number>> => {
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('mishards_writer_'));
    return new Map(lines.map((line) => line.split(' ') as [string, string]).map(([k, v]) => [k, Number(v)]));
  };
  const collection = await cluster.createCollection(process, 'c', { shardsNum: 2 });
  await cluster.settle(process.writer.api.insert(insertOf(collection, [1n, 2n, 3n], [1, 2, 3]), CALL));
  const active = await shown();
  assert.equal(active.size, 13);
  assert.equal(active.get('mishards_writer_is_leader'), 1);
  assert.equal(active.get('mishards_writer_epoch'), 1);
  assert.equal(active.get('mishards_writer_channels'), 2);
  assert.equal(active.get('mishards_writer_fresh_rows'), 3);
  assert.ok(active.get('mishards_writer_fresh_bytes')! > 0);
  assert.ok(active.get('mishards_writer_tail_bytes')! > 0);
  await cluster.settle(process.writer.stop());
  assert.deepEqual(
    [...(await shown()).values()],
    Array.from({ length: 13 }, () => 0),
  );
});
