import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBudget, type MemoryUser } from './memory-budget.ts';

/** Holds blocks of these sizes and lets go of the last one first. */
class Blocks implements MemoryUser {
  readonly sizes: number[];

  constructor(...sizes: number[]) {
    this.sizes = sizes;
  }

  get memoryBytes(): number {
    return this.sizes.reduce((sum, size) => sum + size, 0);
  }

  evict(): boolean {
    return this.sizes.pop() !== undefined;
  }
}

test('room is made by evicting what nobody needs, no more than it takes', () => {
  const users = [new Blocks(10, 20), new Blocks(30)];
  const budget = new MemoryBudget(100, () => users);
  {
    using _reservation = budget.reserve(55, 'segment 1');
    assert.deepEqual(users[0]!.sizes, [10]);
    assert.equal(budget.usedBytes, 95);
  }
  assert.equal(budget.usedBytes, 40);
});

test('what does not fit is refused with the numbers and leaves nothing reserved', () => {
  const users = [new Blocks(10)];
  const budget = new MemoryBudget(100, () => users);
  assert.throws(() => budget.reserve(101, 'segment 7'), {
    code: 'MEMORY_LIMIT',
    message: /segment 7 needs 101 bytes, 0 of the limit of 100/,
  });
  assert.equal(budget.usedBytes, 0);
});
