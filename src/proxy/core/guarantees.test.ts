import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guarantees } from './guarantees.ts';
import type { WriterLink } from './writer-link.ts';
import type { ReadCommand, RequestContext } from '../proxy-core.ts';
import { MishardsError, type ErrorCode } from '../../errors/index.ts';

const STRONG = {
  collection: { id: 1, name: 'words' },
  consistency: 'Strong',
  guaranteeTimestamp: 0n,
} as unknown as ReadCommand;
const CONTEXT: RequestContext = { timeoutMs: 1_000, signal: new AbortController().signal, trace: {} };

function guaranteeWhen(code: ErrorCode): Promise<unknown> {
  const link = { callIfPresent: () => Promise.reject(new MishardsError(code, 'scripted')) };
  return new Guarantees(link as unknown as WriterLink, 1_000).of(STRONG, CONTEXT);
}

test('strong reads go to the end of the log when the writer is away or has no disk for its channels', async () => {
  for (const code of ['NO_WRITER', 'UNREACHABLE', 'STORAGE_UNAVAILABLE'] as const)
    assert.deepEqual(await guaranteeWhen(code), { kind: 'log-end' });
  await assert.rejects(guaranteeWhen('COLLECTION_NOT_FOUND'), { code: 'COLLECTION_NOT_FOUND' });
});
