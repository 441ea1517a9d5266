import { ConsistencyLevel as WireLevel } from './generated/milvus.js';
import { defaultLevel } from './altered-properties.ts';
import { consistencyLevelOf } from './data-types.ts';
import type { CollectionMeta, ConsistencyLevel } from '../../catalog/model.ts';
import type { Timestamp } from '../../schema/index.ts';

interface WireConsistency {
  readonly consistencyLevel: number;
  readonly useDefaultConsistency: boolean;
  readonly guaranteeTimestamp: bigint;
}

export interface ReadConsistency {
  readonly consistency: ConsistencyLevel;
  readonly guaranteeTimestamp: Timestamp;
}

/** Clients write 1 and 2 for "whatever is there" and "a little behind"; real timestamps are far above. */
const EVENTUALLY_TIMESTAMP = 1n;
const BOUNDED_TIMESTAMP = 2n;

/**
 * What a read must see. `Customized` is a bare guarantee timestamp. Old clients send level 0 (Strong) with a guarantee
 * timestamp that says what they mean.
 */
export function readConsistency(wire: WireConsistency, collection: CollectionMeta): ReadConsistency {
  if (wire.useDefaultConsistency) return withTimestamp(defaultLevel(collection), wire.guaranteeTimestamp);
  const isOldStyle = wire.consistencyLevel === WireLevel.Strong && wire.guaranteeTimestamp > 0n;
  if (wire.consistencyLevel !== WireLevel.Customized && !isOldStyle) {
    return withTimestamp(consistencyLevelOf(wire.consistencyLevel), wire.guaranteeTimestamp);
  }
  if (wire.guaranteeTimestamp === BOUNDED_TIMESTAMP) return withTimestamp('Bounded', 0n);
  return {
    consistency: 'Eventually',
    guaranteeTimestamp: guarantee(wire.guaranteeTimestamp),
  };
}

/** Only a session brings its last write along; the other levels say all by their name. */
function withTimestamp(consistency: ConsistencyLevel, timestamp: bigint): ReadConsistency {
  return {
    consistency,
    guaranteeTimestamp: consistency === 'Session' ? guarantee(timestamp) : guarantee(0n),
  };
}

function guarantee(timestamp: bigint): Timestamp {
  return (timestamp <= BOUNDED_TIMESTAMP || timestamp === EVENTUALLY_TIMESTAMP ? 0n : timestamp) as Timestamp;
}
