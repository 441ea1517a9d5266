import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkProperties, defaultReplicas } from './properties.ts';

test('properties with an effect that is not there are refused, others are kept', () => {
  const refused = [
    { 'partitionkey.isolation': 'True' },
    { 'dynamicfield.enabled': 'true' },
    { 'collection.insertRate.max.mb': '5' },
    { 'collection.diskProtection.diskQuota.mb': '5' },
    { 'database.force.deny.ddl': 'true' },
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
  assert.throws(
    () => checkProperties({ 'collection.ttl.seconds': '60', ttl_field: 'expires' }, 'collection'),
    /cannot be set together/,
  );
});

test('quotas of a database are whole numbers above 0, zones are those of the world', () => {
  for (const key of ['database.max.collections', 'database.diskQuota.mb', 'database.replica.number']) {
    checkProperties({ [key]: '7' }, 'database');
    for (const value of ['0', '-1', '1.5', 'many', '']) {
      assert.throws(() => checkProperties({ [key]: value }, 'database'), {
        code: 'PARAMETER_INVALID',
        message: `property ${key} [${value}] should be a whole number above 0`,
      });
    }
  }
  checkProperties({ timezone: 'Asia/Seoul' }, 'collection');
  assert.throws(
    () => checkProperties({ timezone: '+09:00' }, 'collection'),
    /^MishardsError: invalid timezone/,
  );
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
