import type { FrontServices, MethodName } from '../src/proxy/milvus/handler.ts';
import { milvusHandlers } from '../src/proxy/milvus/handlers.ts';
import { LIMITATIONS } from '../src/proxy/milvus/limitations.ts';
import { MILVUS_METHODS } from '../src/proxy/translate/generated/milvus.js';

/** A row for each RPC of Milvus's service: which are answered, and what they leave out. */
export function compatibilityRows(): readonly string[] {
  // Only the names of the handlers are of interest here: nothing is called.
  const answered = new Set(Object.keys(milvusHandlers({} as FrontServices)));
  const names = Object.keys(MILVUS_METHODS) as MethodName[];
  return names
    .toSorted(
      (first, second) =>
        Number(answered.has(second)) - Number(answered.has(first)) || (first < second ? -1 : 1),
    )
    .map((name) => {
      const limitation = LIMITATIONS[name];
      if (!answered.has(name)) return `| \`${name}\` | no | |`;
      return `| \`${name}\` | ${limitation === undefined ? 'yes' : 'partly'} | ${limitation ?? ''} |`;
    });
}
