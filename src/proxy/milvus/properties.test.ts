import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkProperties, defaultReplicas } from './properties.ts';

test('properties with an effect that is not there are refused, others are kept', () => {
  const refused = [
    { ttl_field: 'expires' },
    { 'partitionkey.isolation': 'True' },
    { 'dynamicfield.enabled': 'true' },
    { 'collection.insertRate.max.mb': '5' },
    { 'collection.diskProtection.diskQuota.mb': '5' },
    { 'database.max.collections': '5' },
    { 'database.force.deny.writing': 'true' },
  ];
  for (const properties of refused) {
    const [key] = Object.keys(properties);
    assert.throws(() => checkProperties(properties, 'collection'), {
      code: 'NOT_SUPPORTED',
      message: new RegExp(`^property ${key} = `),
    });
  }
  checkProperties(
    {
      'collection.ttl.seconds': '-1',
      'mmap.enabled': 'true',
      'collection.insertRate.max.mb': '-1',
      'database.force.deny.writing': 'false',
      mine: 'yes',
    },
    'database',
  );
});

test('a time to live is a number of seconds, up to a hundred years, and belongs to a collection', () => {
  const check = (seconds: string, of: 'collection' | 'database' = 'collection'): void =>
    checkProperties({ 'collection.ttl.seconds': seconds }, of);
  for (const seconds of ['-1', '0', '60', '3155760000']) check(seconds);
  assert.throws(() => check('soon'), { code: 'PARAMETER_INVALID', message: /positive integer: soon$/ });
  for (const seconds of ['-2', '3155760001']) {
    assert.throws(() => check(seconds), {
      code: 'PARAMETER_INVALID',
      message: /^collection TTL is out of range, expect \[-1, 3155760000\], got /,
    });
  }
  assert.throws(() => check('60', 'database'), { code: 'NOT_SUPPORTED' });
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
