import type { ResStatus } from '@zilliz/milvus2-sdk-node';

/** The client reports most failures in its answers: turns them into exceptions. */
export function succeeded<Answer extends object>(answer: Answer): Answer {
  const status = ('status' in answer ? answer.status : answer) as ResStatus;
  if (status.error_code !== 'Success')
    throw new Error(`${status.error_code} (${status.code}): ${status.reason}`);
  return answer;
}
