import assert from 'node:assert/strict';
import { SnapshotDraft } from '../../src/catalog/snapshot-draft.ts';
import { EMPTY_PARTS, Snapshot } from '../../src/catalog/snapshot.ts';
import { comparerOf } from '../../src/proxy/core/order-rows.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { CatalogCommand } from '../../src/catalog/commands.ts';
import type { CollectionMeta } from '../../src/catalog/model.ts';
import {
  asKeys,
  bitAt,
  columnFromValues,
  columnOf,
  concatRows,
  hashKey,
  sortedRows,
  takeColumn,
  takeRows,
  type Column,
  type PrimaryKeyColumn,
  type RowBatch,
} from '../../src/columns/index.ts';
import { createSimulatedHost } from '../../src/host/simulated/index.ts';
import { MemoryKernel } from '../../src/kernel/memory/memory-kernel.ts';
import { asVectors, vectorShape, vectorValues } from '../../src/segment/vector-columns.ts';
import { compileFilter, evaluateFilter, parseFilter } from '../../src/filter/index.ts';
import type { FilterText } from '../../src/protocol/reader-api.ts';
import type { MutationResult } from '../../src/protocol/writer-api.ts';
import { mergeRanked } from '../../src/proxy/core/merge-ranked.ts';
import type {
  HybridSearchCommand,
  ProxyCore,
  QueryCommand,
  ReadCommand,
  RowsRequest,
  SearchCommand,
} from '../../src/proxy/proxy-core.ts';
import {
  primaryKeyField,
  type CollectionId,
  type PartitionId,
  type Timestamp,
} from '../../src/schema/index.ts';
import { DEFAULT_CATALOG_LIMITS } from '../../src/writer/commands/command-context.ts';
import { idsNeeded, planCommand } from '../../src/writer/commands/plan-command.ts';

interface StoredPart {
  readonly partitionId: PartitionId;
  readonly rows: RowBatch;
}

/**
 * A proxy's core without a cluster: the catalog follows the writer's own rules, rows lie in memory and are searched one by
 * one. For tests of what stands before the core. `calls` keeps what was asked of it.
 */
export class MemoryCore implements ProxyCore {
  readonly catalog: Catalog;
  readonly calls: { readonly kind: string; readonly request: object }[] = [];
  #snapshot = new Snapshot(EMPTY_PARTS);
  #nextId = 1;
  #nextTimestamp = BigInt(1_700_000_000_000) << 18n;
  readonly #parts = new Map<CollectionId, StoredPart[]>();
  readonly #kernel = new MemoryKernel({ files: createSimulatedHost().files });

  constructor() {
    this.catalog = {
      snapshot: () => this.#snapshot,
      subscribe: () => ({ [Symbol.dispose]: () => undefined }),
      waitFor: () => Promise.resolve(this.#snapshot),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    this.#run({ kind: 'create-database', name: 'default', properties: {} });
  }

  nodes(): ReturnType<ProxyCore['nodes']> {
    return [];
  }

  execute(command: CatalogCommand): Promise<Snapshot> {
    this.calls.push({ kind: command.kind, request: command });
    this.#run(command);
    return Promise.resolve(this.#snapshot);
  }

  insert(request: RowsRequest): Promise<MutationResult> {
    this.calls.push({ kind: 'insert', request });
    return Promise.resolve(this.#add(request));
  }

  upsert(request: RowsRequest): Promise<MutationResult> {
    this.calls.push({ kind: 'upsert', request });
    const key = primaryKeyField(request.collection.schema);
    this.#remove(request.collection, asKeys(columnOf(request.rows, key.id)));
    return Promise.resolve(this.#add(request));
  }

  delete({ collection, filter, partitionId }: Parameters<ProxyCore['delete']>[0]): Promise<MutationResult> {
    this.calls.push({ kind: 'delete', request: { collection, filter, partitionId } });
    const rows = this.#rows(collection, partitionId === null ? null : [partitionId], filter);
    const keys = asKeys(columnOf(rows, primaryKeyField(collection.schema).id));
    this.#remove(collection, keys);
    return Promise.resolve({ keys, timestamp: this.#timestamp(), positions: new Map() });
  }

  flush(collections: readonly CollectionId[]): ReturnType<ProxyCore['flush']> {
    this.calls.push({ kind: 'flush', request: { collections } });
    const segmentIds = new Map(collections.map((id) => [id, [`${id}0`]] as const));
    return Promise.resolve({ revision: this.#snapshot.revision, timestamp: this.#timestamp(), segmentIds });
  }

  rowCount(collection: CollectionMeta, partitionId: PartitionId | null): Promise<number> {
    const ids = partitionId === null ? null : [partitionId];
    return Promise.resolve(this.#rows(collection, ids, null).rowCount);
  }

  async search(command: SearchCommand): ReturnType<ProxyCore['search']> {
    this.calls.push({ kind: 'search', request: command });
    const rows = this.#rows(command.collection, command.partitionIds, command.filter);
    const vectors = asVectors(columnOf(rows, command.fieldId));
    const { metric, queries, params, scoreAbove, scoreUpTo } = command;
    const shape = vectorShape(vectors);
    using block = this.#kernel.createBlock({ ...shape, capacity: rows.rowCount });
    block.append(vectorValues(vectors));
    const hits = await this.#kernel.search({
      ...shape,
      sources: [{ data: block, rowCount: rows.rowCount, allowed: vectors.validity }],
      metric,
      queries: vectorValues(queries),
      queryCount: queries.length,
      k: command.offset + command.limit,
      params,
      scoreAbove,
      scoreUpTo,
    });
    const found = Array.from(hits.counts, (count, query) =>
      Array.from({ length: count }, (_, index) => query * hits.k + index).slice(command.offset),
    );
    const all = found.flat();
    const picked = takeRows(
      rows,
      Uint32Array.from(all, (at) => hits.rows[at]!),
    );
    return {
      counts: Uint32Array.from(found, ({ length }) => length),
      scores: Float32Array.from(all, (at) => hits.scores[at]!),
      ...this.#answer(command, picked),
    };
  }

  async hybridSearch(command: HybridSearchCommand): ReturnType<ProxyCore['hybridSearch']> {
    this.calls.push({ kind: 'hybrid-search', request: command });
    return mergeRanked(await Promise.all(command.searches.map((search) => this.search(search))), command);
  }

  query(command: QueryCommand): ReturnType<ProxyCore['query']> {
    this.calls.push({ kind: 'query', request: command });
    const all = this.#rows(command.collection, command.partitionIds, command.filter);
    const keys = asKeys(columnOf(all, primaryKeyField(command.collection.schema).id));
    const order =
      command.orderBy.length === 0
        ? sortedRows(keys, new BigUint64Array(keys.length))
        : Uint32Array.from(Array(keys.length).keys()).sort(comparerOf(command.orderBy, all, keys));
    const end = command.limit === null ? undefined : command.offset + command.limit;
    const picked = takeRows(all, order.slice(command.offset, end));
    return Promise.resolve({ count: all.rowCount, ...this.#answer(command, picked) });
  }

  compact(collectionId: CollectionId): ReturnType<ProxyCore['compact']> {
    this.calls.push({ kind: 'compact', request: collectionId });
    return Promise.resolve({ compactionId: '77', planCount: 2 });
  }

  /** One merge is done, one is under way; of an unknown one nothing is known. */
  compactionState(compactionId: string): ReturnType<ProxyCore['compactionState']> {
    if (compactionId !== '77') {
      return Promise.resolve({
        revision: 0,
        executingCount: 0,
        completedCount: 0,
        failedCount: 0,
        merges: [],
      });
    }
    const merges = [
      { sources: ['1', '2'], target: '3' },
      { sources: ['4'], target: null },
    ];
    return Promise.resolve({ revision: 0, executingCount: 1, completedCount: 1, failedCount: 0, merges });
  }

  loadProgress(): Promise<number> {
    return Promise.resolve(100);
  }

  explainRoute(collection: CollectionMeta): ReturnType<ProxyCore['explainRoute']> {
    return { router: 'test', copies: collection.load?.replicas ?? 0, items: [] };
  }

  /** The last request of a kind, e.g. the command of the last search. */
  last<Request>(kind: string): Request {
    const call = this.calls.findLast((candidate) => candidate.kind === kind);
    assert.ok(call, `no ${kind} reached the core`);
    return call.request as Request;
  }

  #run(command: CatalogCommand): void {
    let left = idsNeeded(command, DEFAULT_CATALOG_LIMITS);
    const plan = planCommand(command, {
      snapshot: this.#snapshot,
      limits: DEFAULT_CATALOG_LIMITS,
      timestamp: String(this.#timestamp()),
      takeId: <Id extends string>() => {
        assert.ok(left-- > 0);
        return String(this.#nextId++) as Id;
      },
    });
    const draft = new SnapshotDraft(this.#snapshot);
    for (const write of plan) draft.apply(write.key, write.kind === 'put' ? write.value : null);
    this.#snapshot = draft.build(this.#snapshot.revision + 1);
  }

  #timestamp(): Timestamp {
    return this.#nextTimestamp++ as Timestamp;
  }

  #add({ collection, partitionId, rows }: RowsRequest): MutationResult {
    const key = primaryKeyField(collection.schema);
    const columns = new Map(rows.columns);
    if (!columns.has(key.id)) columns.set(key.id, this.#automaticKeys(key.type, rows.rowCount));
    // In the order of the schema, so that batches can be joined.
    const complete = new Map(
      collection.schema.fields.map((field) => [field.id, columns.get(field.id)!] as const),
    );
    const parts = this.#parts.get(collection.id) ?? [];
    this.#parts.set(collection.id, [
      ...parts,
      { partitionId, rows: { rowCount: rows.rowCount, columns: complete } },
    ]);
    return { keys: asKeys(complete.get(key.id)!), timestamp: this.#timestamp(), positions: new Map() };
  }

  #automaticKeys(type: string, count: number): Column {
    const ids = Array.from({ length: count }, () => BigInt(this.#nextId++));
    if (type === 'Int64') return columnFromValues({ type: 'Int64', elementType: null, dim: null }, ids);
    return columnFromValues({ type: 'VarChar', elementType: null, dim: null }, ids.map(String));
  }

  #remove(collection: CollectionMeta, keys: PrimaryKeyColumn): void {
    const gone = new Set(Array.from({ length: keys.length }, (_, row) => hashKey(keys, row)));
    const key = primaryKeyField(collection.schema);
    const parts = (this.#parts.get(collection.id) ?? []).map(({ partitionId, rows }) => {
      const present = asKeys(columnOf(rows, key.id));
      const kept = Array.from({ length: rows.rowCount }, (_, row) => row).filter(
        (row) => !gone.has(hashKey(present, row)),
      );
      return { partitionId, rows: takeRows(rows, Uint32Array.from(kept)) };
    });
    this.#parts.set(collection.id, parts);
  }

  #rows(
    collection: CollectionMeta,
    partitionIds: readonly PartitionId[] | null,
    filter: FilterText | null,
  ): RowBatch {
    const parts = (this.#parts.get(collection.id) ?? []).filter(
      ({ partitionId }) => partitionIds === null || partitionIds.includes(partitionId),
    );
    const none = new Map(
      collection.schema.fields.map((field) => [field.id, columnFromValues(field, [])] as const),
    );
    const rows = concatRows([{ rowCount: 0, columns: none }, ...parts.map((part) => part.rows)]);
    if (filter === null) return rows;
    const plan = compileFilter(parseFilter(filter.text), collection.schema, filter.values);
    const passes = evaluateFilter(plan, { column: (id) => columnOf(rows, id) }, rows.rowCount);
    const kept = Array.from({ length: rows.rowCount }, (_, row) => row).filter((row) => bitAt(passes, row));
    return takeRows(rows, Uint32Array.from(kept));
  }

  #answer(
    command: ReadCommand,
    rows: RowBatch,
  ): { readonly keys: PrimaryKeyColumn; readonly rows: RowBatch } {
    const columns = new Map(command.outputFieldIds.map((id) => [id, columnOf(rows, id)] as const));
    const key = columnOf(rows, primaryKeyField(command.collection.schema).id);
    const all = takeColumn(
      key,
      Uint32Array.from({ length: rows.rowCount }, (_, row) => row),
    );
    return { keys: asKeys(all), rows: { rowCount: rows.rowCount, columns } };
  }
}
