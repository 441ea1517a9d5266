import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeModel } from '../../scripts/cluster/change-model.ts';

const NOTHING = { missing: [], twice: [], wrong: [] };

test('the model takes what was acknowledged and nothing else', () => {
  const model = new ChangeModel();
  model.acknowledged([1, 2, 3], 1);
  model.acknowledged([2], 2);
  model.acknowledged([3], null);
  const asked = [1, 2, 3, 4];
  const right = [
    { id: 1, version: 1 },
    { id: 2, version: 2 },
  ];
  assert.deepEqual(model.compare(asked, right), NOTHING);
  assert.equal(model.compare(asked, right.slice(1)).missing.length, 1, 'a lost row');
  assert.equal(model.compare(asked, [...right, right[0]!]).twice.length, 1, 'a row twice');
  assert.equal(model.compare(asked, [right[0]!, { id: 2, version: 1 }]).wrong.length, 1, 'a lost upsert');
  assert.equal(model.compare(asked, [...right, { id: 3, version: 1 }]).wrong.length, 1, 'a lost delete');
  assert.equal(model.compare(asked, [...right, { id: 4, version: 1 }]).wrong.length, 1, 'a row nobody wrote');
  assert.equal(
    model.compare(asked, [...right, { id: 9, version: 1 }]).wrong.length,
    1,
    'a row nobody asked for',
  );
});

test('an ambiguous change may have happened or not, but not be taken back', () => {
  const model = new ChangeModel();
  model.acknowledged([1], 1);
  model.ambiguous([1], 2);
  model.ambiguous([1], null);
  assert.deepEqual(model.compare([1], [{ id: 1, version: 1 }]), NOTHING);
  assert.deepEqual(model.compare([1], [{ id: 1, version: 2 }]), NOTHING);
  assert.equal(model.compare([1], [{ id: 1, version: 1 }]).wrong.length, 1, 'it was seen already');
  assert.deepEqual(model.compare([1], []), NOTHING);
  assert.ok(model.isAbsent(1));
  model.ambiguous([1], 3);
  assert.ok(!model.isAbsent(1), 'an insert might give the key twice');
  model.acknowledged([1], 4);
  assert.equal(model.compare([1], [{ id: 1, version: 3 }]).wrong.length, 1, 'a later acknowledgement counts');
});
