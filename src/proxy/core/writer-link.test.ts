import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WriterLink } from './writer-link.ts';
import type { RequestContext } from '../proxy-core.ts';
import { encodeDocument } from '../../catalog/document.ts';
import { WRITER_LEASE_KEY } from '../../catalog/keys.ts';
import { openCatalog } from '../../catalog/metastore-catalog.ts';
import type { WriterLeader } from '../../catalog/model.ts';
import { MishardsError } from '../../errors/index.ts';
import { createSimulatedHost } from '../../host/simulated/index.ts';
import { createMemoryMetastore } from '../../metastore/memory/memory-metastore.ts';
import type { WriterApi } from '../../protocol/writer-api.ts';

const WAIT_MS = 2_000;
const FULL = new MishardsError('NOT_LEADER', 'this writer is not active: the disk is full');

/** A link to a writer that answers, or refuses everything with `refusal`. */
async function stageOf(stack: AsyncDisposableStack) {
  const host = createSimulatedHost();
  const metastore = stack.use(createMemoryMetastore({ host }));
  const catalog = stack.use(await openCatalog({ metastore, timers: host.timers }));
  const writer = { refusal: null as MishardsError | null, flushCount: 0 };
  const answer = async (): Promise<never> => {
    if (writer.refusal !== null) throw writer.refusal;
    writer.flushCount++;
    return undefined as never;
  };
  const writerFor = (): WriterApi & AsyncDisposable =>
    ({
      flush: answer,
      compactionState: answer,
      [Symbol.asyncDispose]: async () => {},
    }) as unknown as WriterApi & AsyncDisposable;
  const link = stack.use(new WriterLink({ ...host, catalog, writerWaitMs: WAIT_MS, writerFor }));
  const lead = async (leader: WriterLeader | null): Promise<void> => {
    const key = WRITER_LEASE_KEY;
    const write =
      leader === null
        ? ({ kind: 'delete', key } as const)
        : ({ kind: 'put', key, value: encodeDocument(leader) } as const);
    await metastore.transact({ compares: [], then: [write] });
    while (catalog.snapshot().writer?.epoch !== leader?.epoch) await host.timers.advance(1);
  };
  const flush = async (): Promise<void> => {
    const { signal } = new AbortController();
    const context = { timeoutMs: 10_000, signal } as unknown as RequestContext;
    await host.timers.advanceUntil(link.call(context, (api, call) => api.flush([], call)));
  };
  return { writer, lead, flush };
}

const leader = { nodeId: 'w', address: 'memory://w', epoch: 3 } as WriterLeader;

test('who waits in vain for a writer is told what the last one says', async () => {
  await using stack = new AsyncDisposableStack();
  const { writer, lead, flush } = await stageOf(stack);
  await assert.rejects(flush(), {
    code: 'NO_WRITER',
    message: 'no writer holds the lease; retry in a few seconds',
  });
  const full = {
    code: 'NO_WRITER',
    message:
      'no writer holds the lease; w of epoch 3 has lost it: this writer is not active: the disk is full; retry in a few seconds',
  };
  await lead(leader);
  writer.refusal = FULL;
  await assert.rejects(flush(), full, 'the catalog still names it');
  await lead(null);
  await assert.rejects(flush(), full, 'the catalog names nobody');
  writer.refusal = new MishardsError('UNREACHABLE', 'it is gone');
  await assert.rejects(flush(), {
    code: 'NO_WRITER',
    message: 'no writer holds the lease; retry in a few seconds',
  });
  writer.refusal = null;
  await lead({ ...leader, epoch: 4 });
  await flush();
  assert.equal(writer.flushCount, 1);
});
