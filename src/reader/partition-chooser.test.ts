import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionChooser } from './partition-chooser.ts';
import type { PartitionId } from '../schema/index.ts';

const ids = ['9', '12'] as PartitionId[];
const CANDIDATES = ['8', '9', '11', '12', '13', '14', '100'] as PartitionId[];

test('chosen are the named partitions', () => {
  assert.deepEqual(CANDIDATES.filter(partitionChooser({ ids, newerThan: null })), ['9', '12']);
});

test('or those and any that came later, but none that was dropped', () => {
  const chooser = partitionChooser({ ids, newerThan: '13' as PartitionId });
  assert.deepEqual(CANDIDATES.filter(chooser), ['9', '12', '14', '100']);
});
