import { MishardsError } from '../../errors/index.ts';

type Properties = Readonly<Record<string, string>>;

/** Properties that would change what a collection does, in ways that are not there yet. Others are kept and shown. */
const UNSUPPORTED: Readonly<Record<string, (value: string) => boolean>> = {
  'collection.ttl.seconds': (value) => Number(value) > 0,
  ttl_field: () => true,
  'partitionkey.isolation': isTrue,
  'dynamicfield.enabled': isTrue,
  allow_insert_auto_id: isTrue,
  'namespace.enabled': isTrue,
};

export function checkCollectionProperties(properties: Properties): void {
  const ttl = properties['collection.ttl.seconds'];
  if (ttl !== undefined && !/^-?\d+$/.test(ttl)) {
    throw new MishardsError('PARAMETER_INVALID', `collection TTL is not a valid positive integer: ${ttl}`);
  }
  for (const [key, value] of Object.entries(properties)) {
    if (UNSUPPORTED[key]?.(value) === true) {
      throw new MishardsError('NOT_SUPPORTED', `collection property ${key} = ${value} is not supported yet`);
    }
  }
}

function isTrue(value: string): boolean {
  return value.toLowerCase() === 'true';
}
