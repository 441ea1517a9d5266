import { Status } from '../translate/generated/milvus.js';
import type { MethodDescriptor } from '../translate/protobuf/message-type.ts';
import { ProtoWriter } from '../translate/protobuf/proto-writer.ts';
import { statusOf } from '../translate/status.ts';

/** A failure as this RPC's clients expect it: within the reply's own type, all other fields at their zero values. */
export function failureReply(method: MethodDescriptor<never, never>, error: unknown): Uint8Array | null {
  const { statusField } = method;
  if (statusField === null) return null;
  const status = Status.encode(statusOf(error));
  if (statusField === 0) return status;
  const writer = new ProtoWriter(status.byteLength + 16);
  writer.bytesField((statusField << 3) | 2, status);
  return writer.finish();
}
