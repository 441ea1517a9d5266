import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkProperties, defaultReplicas } from './properties.ts';

test('properties with an effect that is not there are refused, others are kept', () => {
  const refused = [
    { 'collection.ttl.seconds': '60' },
    { 'partitionkey.isolation': 'True' },
    { 'dynamicfield.enabled': 'true' },
    { 'collection.insertRate.max.mb': '5' },
    { 'collection.diskProtection.diskQuota.mb': '5' },
    { 'database.max.collections': '5' },
    { 'database.force.deny.writing': 'true' },
  ];
  for (const properties of refused) {
    const [key] = Object.keys(properties);
    assert.throws(() => checkProperties(properties), {
      code: 'NOT_SUPPORTED',
      message: new RegExp(`^property ${key} = `),
    });
  }
  checkProperties({
    'collection.ttl.seconds': '-1',
    'mmap.enabled': 'true',
    'collection.insertRate.max.mb': '-1',
    'database.force.deny.writing': 'false',
    mine: 'yes',
  });
  assert.throws(() => checkProperties({ 'collection.ttl.seconds': 'soon' }), { code: 'PARAMETER_INVALID' });
});

test('the number of replicas comes from the collection, its database, or is one', () => {
  assert.equal(defaultReplicas({}, {}), 1);
  assert.equal(defaultReplicas({}, { 'database.replica.number': '3' }), 3);
  assert.equal(defaultReplicas({ 'collection.replica.number': '2' }, { 'database.replica.number': '3' }), 2);
  assert.throws(
    () => defaultReplicas({ 'collection.replica.number': '0' }, {}),
    /replica number \[0\] should be/,
  );
});
