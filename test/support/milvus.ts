import assert from 'node:assert/strict';
import type { ResStatus } from '@zilliz/milvus2-sdk-node';

/** The client reports most failures in its answers: turns them into exceptions. */
export function succeeded<Answer extends object>(answer: Answer): Answer {
  const status = ('status' in answer ? answer.status : answer) as ResStatus;
  if (status.error_code !== 'Success')
    throw new Error(`${status.error_code} (${status.code}): ${status.reason}`);
  return answer;
}

/** The call fails with this Milvus code and reason, whether the client reports that in its answer or throws it. */
export async function refused(call: Promise<object>, code: number, reason: RegExp): Promise<void> {
  const outcome = await call.catch((error: object) => error);
  if (outcome instanceof Error) {
    // The client put the reason into a message and dropped the code.
    assert.match(outcome.message, new RegExp(reason.source.replace(/^\^/, '').replace(/\$$/, '')));
    return;
  }
  const status = ('status' in outcome ? outcome.status : outcome) as ResStatus;
  assert.equal(Number(status.code), code, `${status.code}: ${status.reason}`);
  assert.match(String(status.reason), reason);
  assert.notEqual(status.error_code, 'Success');
}
