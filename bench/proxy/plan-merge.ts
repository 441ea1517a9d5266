// What the proxy itself computes for one search over 64 segments on 8 readers, k = 100: assign the plan's items to readers,
// merge the readers' answers. The plan comes from the cached placement, as in a running proxy.
import type { CatalogSnapshot } from '../../src/catalog/catalog.ts';
import type { ChannelMeta, CollectionMeta, SegmentMeta } from '../../src/catalog/model.ts';
import { keysFromValues } from '../../src/columns/index.ts';
import type { NodeInfo } from '../../src/discovery/discovery.ts';
import { SeededRandom, type Random } from '../../src/host/index.ts';
import { assign } from '../../src/proxy/core/assign.ts';
import { mergeHits } from '../../src/proxy/core/merge-hits.ts';
import { PlacementCache } from '../../src/proxy/core/placement-cache.ts';
import { planRead } from '../../src/proxy/core/read-plan.ts';
import type { PooledReader } from '../../src/proxy/core/reader-pool.ts';
import type { ReaderApi, SearchResult } from '../../src/protocol/reader-api.ts';
import { ConsistentHashRouter } from '../../src/routing/consistent-hash/consistent-hash-router.ts';
import type { ChannelId, LogSequence, NodeId, Timestamp } from '../../src/schema/index.ts';
import { createReport } from '../support/report.ts';

const SEGMENTS = 64;
const READERS = 8;
const K = 100;
const SEED = 1;
const WARM_UP = 2_000;
const ROUNDS = 5_000;
const BUDGET_US = 100;

/** One JSON line. */
export async function run(): Promise<void> {
  const random = new SeededRandom(SEED);
  const collection = {
    id: '1',
    name: 'bench',
    channels: ['1-0', '1-1'],
    partitions: [{ id: '1', name: '_default' }],
    newestPartitionId: '1',
    load: { replicas: 2, partitionIds: null, fieldIds: null, before: null },
  } as unknown as CollectionMeta;
  const segments = Array.from({ length: SEGMENTS }, (_, index) => ({
    id: String(index),
    rowCount: 100_000 + index,
    partitionId: '1',
    channelId: `1-${index % 2}`,
  }));
  const snapshot = {
    collections: new Map([[collection.id, collection]]),
    segmentsOf: () => segments as unknown as readonly SegmentMeta[],
    incomingOf: () => [],
    channel: () => ({ checkpoint: 1 }) as ChannelMeta,
  } as unknown as CatalogSnapshot;
  const readers = Array.from({ length: READERS }, (_, index) => node(`reader-${index}` as NodeId));
  const pool = new Map<NodeId, PooledReader>(
    readers.map((info) => [
      info.id,
      {
        node: info,
        api: {} as ReaderApi,
        inFlight: 0,
        latencyMs: 1,
        outlastedCount: 0,
        suspect: false,
        positions: new Map<ChannelId, LogSequence>(),
      },
    ]),
  );
  const placements = new PlacementCache(new ConsistentHashRouter());
  const answers = Array.from({ length: READERS }, () => answer(random));

  const times: number[] = [];
  let hits = 0;
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const start = performance.now();
    const placement = placements.placementOf(snapshot, collection, readers);
    const plan = planRead({
      snapshot,
      collection,
      placement,
      partitionIds: null,
      rowsSince: 0n as Timestamp,
      filter: null,
    });
    const assigned = assign(plan, { random, find: (id) => pool.get(id), excluded: new Set(), copies: 2 });
    const merged = mergeHits(answers.slice(0, assigned.length), 1, 0, K);
    const elapsed = performance.now() - start;
    hits += merged.keys.length;
    if (round >= 0) times.push(elapsed * 1_000);
  }
  if (hits !== (WARM_UP + ROUNDS) * K) throw new Error(`merged ${hits} hits`);
  times.sort((a, b) => a - b);
  const at = (fraction: number): number => Number(times[Math.floor(times.length * fraction)]!.toFixed(1));
  createReport(
    'proxy',
    SEED,
  )({
    measure: 'planning and merging',
    segments: SEGMENTS,
    readers: READERS,
    k: K,
    p50_us: at(0.5),
    p99_us: at(0.99),
    peer: `budget of ${BUDGET_US} µs`,
    ratio: Number((at(0.5) / BUDGET_US).toFixed(2)),
  });
}

function node(id: NodeId): NodeInfo {
  return {
    id,
    role: 'reader',
    address: `memory://${id}`,
    weight: 1,
    zone: '',
    version: '',
    startedMs: 0,
    labels: {},
  };
}

function answer(random: Random): SearchResult {
  const scores = Float32Array.from({ length: K }, () => random.next())
    .sort()
    .reverse();
  const keys = Array.from({ length: K }, () => BigInt(random.below(2 ** 31)));
  return {
    counts: Uint32Array.of(K),
    scores,
    keys: keysFromValues('Int64', keys),
    rows: { rowCount: K, columns: new Map() },
    stats: { segmentCount: 8, rowsSearched: 0, elapsedMs: 0, positions: new Map() },
  };
}
