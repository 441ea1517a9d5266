// Inserting through gRPC: rows of 128 dimensions, as the official client encodes them, sent as bytes to a proxy and to a server
// that only answers. The ratio says how much of what gRPC can carry here a durable insert reaches.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { startApart, type BenchCluster } from './bench-cluster.ts';
import { INSERT_PATH, rawClient, recordInserts, type RawClient } from './insert-recorder.ts';
import { SeededRandom } from '../../src/host/index.ts';
import { succeeded } from '../../test/support/milvus.ts';
import { processorMs } from '../support/process-use.ts';
import { createReport } from '../support/report.ts';
import { median, round } from '../support/statistics.ts';

const SEED = 7;
const DIM = 128;
const BATCH_ROWS = 1_000;
const BATCHES = 8;
const CONCURRENCY = 4;
const COLLECTION = 'ingest';
const BUDGET_ROWS = 25_000;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { rows: { type: 'string', default: '60000' }, pairs: { type: 'string', default: '5' } },
  });
  const count = Math.ceil(Number(values.rows) / BATCH_ROWS);
  await using cluster = await startApart();
  await createCollection(cluster.client);
  const { requests, reply } = await record(cluster.address);
  await using peer = await startAnswering(reply);
  using stack = new DisposableStack();
  const ours = stack.adopt(rawClient(cluster.address), (client) => client.close());
  const theirs = stack.adopt(rawClient(peer.address), (client) => client.close());
  const warmUp = Math.ceil(count / 4);
  await send(ours, requests, warmUp, reply);
  await send(theirs, requests, warmUp, reply);

  const [mine, other, ratios]: [number[], number[], number[]] = [[], [], []];
  const before = use(cluster);
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    mine.push(await send(ours, requests, count, reply));
    other.push(await send(theirs, requests, count, reply));
    ratios.push(mine.at(-1)! / other.at(-1)!);
  }
  const after = use(cluster);
  const rows = ratios.length * count * BATCH_ROWS;
  const perWriterCore = rows / ((after.writerMs - before.writerMs) / 1_000);
  createReport(
    'ingest',
    SEED,
  )({
    measure: `durable inserts of ${BATCH_ROWS} rows of ${DIM} dimensions, ${CONCURRENCY} at a time`,
    rows,
    pairs: ratios.length,
    rows_per_s: Math.round(median(mine)),
    peer: 'a gRPC server that only answers',
    peer_rows_per_s: Math.round(median(other)),
    ratio: round(median(ratios)),
    writer_us_per_row: round(((after.writerMs - before.writerMs) * 1_000) / rows),
    proxy_us_per_row: round(((after.proxyMs - before.proxyMs) * 1_000) / rows),
    rows_per_writer_core_s: Math.round(perWriterCore),
    budget_rows_per_writer_core_s: BUDGET_ROWS,
  });
}

function use(cluster: BenchCluster): { readonly writerMs: number; readonly proxyMs: number } {
  return {
    writerMs: processorMs(cluster.pidOf('writer-1')),
    proxyMs: processorMs(cluster.pidOf('proxy-1')),
  };
}

async function createCollection(client: MilvusClient): Promise<void> {
  succeeded(
    await client.createCollection({
      collection_name: COLLECTION,
      fields: [
        { name: 'id', data_type: DataType.Int64, is_primary_key: true, autoID: true },
        { name: 'vector', data_type: DataType.FloatVector, dim: DIM },
      ],
    }),
  );
}

/** Requests as the official client makes them, and the reply of a proxy to one. */
async function record(address: string): Promise<{ requests: readonly Buffer[]; reply: Buffer }> {
  await using recorder = await recordInserts(address);
  const client = new MilvusClient({ address: recorder.address, logLevel: 'error' });
  await client.connectPromise;
  const random = new SeededRandom(SEED);
  for (let batch = 0; batch < BATCHES; batch++) {
    const data = Array.from({ length: BATCH_ROWS }, () => ({
      vector: Array.from({ length: DIM }, () => random.next() - 0.5),
    }));
    succeeded(await client.insert({ collection_name: COLLECTION, data }));
  }
  await client.closeConnection();
  return { requests: recorder.requests, reply: recorder.reply() };
}

async function startAnswering(reply: Buffer): Promise<AsyncDisposable & { readonly address: string }> {
  const child = fork(join(import.meta.dirname, 'answering-server.ts'));
  child.send(reply.toString('base64'));
  const [port] = (await once(child, 'message')) as [number];
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

/** Rows a second; every reply must be as long as the one of a success, for a failure's is longer by its reason. */
async function send(
  client: RawClient,
  requests: readonly Buffer[],
  count: number,
  reply: Buffer,
): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const answer = await client(INSERT_PATH, requests[next++ % requests.length]!);
      if (Math.abs(answer.byteLength - reply.byteLength) > reply.byteLength / 10) {
        throw new Error(`an insert was answered with ${answer.byteLength} bytes: ${answer.toString('utf8')}`);
      }
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return (count * BATCH_ROWS * 1_000) / (performance.now() - start);
}
