import assert from 'node:assert/strict';
import { vectorSchema } from './schemas.ts';
import type { CatalogCommand, CreateCollectionCommand } from '../../src/catalog/commands.ts';
import type { CollectionMeta } from '../../src/catalog/model.ts';
import { SnapshotDraft } from '../../src/catalog/snapshot-draft.ts';
import { EMPTY_PARTS, Snapshot } from '../../src/catalog/snapshot.ts';
import type { ErrorCode } from '../../src/errors/index.ts';
import type { CollectionId } from '../../src/schema/index.ts';
import {
  DEFAULT_CATALOG_LIMITS,
  type CatalogLimits,
  type CommandPlan,
} from '../../src/writer/commands/command-context.ts';
import { idsNeeded, planCommand } from '../../src/writer/commands/plan-command.ts';

/** The catalog as it becomes when plans are carried out. */
export class CatalogModel {
  snapshot = new Snapshot(EMPTY_PARTS);
  limits: CatalogLimits = DEFAULT_CATALOG_LIMITS;
  #nextId = 1;

  run(command: CatalogCommand): CommandPlan {
    let rest = idsNeeded(command, this.limits);
    const plan = planCommand(command, {
      snapshot: this.snapshot,
      limits: this.limits,
      timestamp: '99',
      takeId: <Id extends string>() => {
        assert.ok(rest-- > 0, 'no more ids than announced');
        return String(this.#nextId++) as Id;
      },
    });
    const draft = new SnapshotDraft(this.snapshot);
    for (const write of plan) draft.apply(write.key, write.kind === 'put' ? write.value : null);
    this.snapshot = draft.build(this.snapshot.revision + 1);
    return plan;
  }

  /** Carried out, it changes nothing. */
  runsIdle(command: CatalogCommand): void {
    assert.deepEqual(this.run(command), []);
  }

  refuses(command: CatalogCommand, code: ErrorCode, message: RegExp): void {
    const before = this.snapshot;
    assert.throws(() => this.run(command), { code, message });
    assert.equal(this.snapshot, before);
  }

  collection(name: string, databaseName = 'default'): CollectionMeta {
    return this.snapshot.findCollection(databaseName, name) ?? assert.fail(`no collection ${name}`);
  }
}

export function createCollection(
  name: string,
  change: Partial<CreateCollectionCommand> = {},
): CreateCollectionCommand {
  return {
    kind: 'create-collection',
    databaseName: 'default',
    name,
    schema: vectorSchema(),
    shardsNum: 2,
    consistencyLevel: 'Bounded',
    properties: {},
    partitionCount: 1,
    ...change,
  };
}

export function createIndex(collectionId: CollectionId, change: object = {}): CatalogCommand {
  return {
    kind: 'create-index',
    collectionId,
    name: '',
    fieldId: 101,
    requestedType: 'HNSW',
    type: 'HNSW',
    metric: 'L2',
    params: { M: '16' },
    ...change,
  };
}

export function load(collectionId: CollectionId, change: object = {}): CatalogCommand {
  return { kind: 'load', collectionId, replicas: 1, partitionIds: null, fieldIds: null, ...change };
}
