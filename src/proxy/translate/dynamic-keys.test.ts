import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergedObjects, pickKeys } from './dynamic-keys.ts';
import { columnFromValues, valuesOf, type BytesColumn } from '../../columns/index.ts';

test('keys are picked whole, in the order asked for, numbers as they were written', () => {
  const texts = ['{"a":9007199254740993,"b":{"c":[1.50]},"d":null}', '{"b":1e400}', '{"__proto__":1}', null];
  const column = columnFromValues({ type: 'JSON', elementType: null, dim: null }, texts) as BytesColumn;
  const picked = pickKeys(column, ['b', 'a', 'd', '__proto__']);
  assert.deepEqual(valuesOf(picked), [
    '{"b":{"c":[1.50]},"a":9007199254740993,"d":null}',
    '{"b":1e400}',
    '{"__proto__":1}',
    '{}',
  ]);
});

test('objects are merged key by key, and numbers keep their digits', () => {
  assert.equal(
    mergedObjects('{"a":1,"b":9007199254740993,"c":{"x":1}}', '{"a":"new","c":{"y":1.0},"d":null}'),
    '{"a":"new","b":9007199254740993,"c":{"y":1.0},"d":null}',
  );
});
