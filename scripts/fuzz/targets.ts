import type { FuzzTarget } from './fuzz-target.ts';

/** By name, loaded when asked for. */
export const FUZZ_TARGETS: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  frame: async () => (await import('./targets/frame.ts')).frameTarget,
  packet: async () => (await import('./targets/packet.ts')).packetTarget,
  messages: async () => (await import('./targets/messages.ts')).messagesTarget,
  filter: async () => (await import('./targets/filter.ts')).filterTarget,
  log: async () => (await import('./targets/log.ts')).logTarget,
  arrow: async () => (await import('./targets/arrow.ts')).arrowTarget,
  'scalar-index': async () => (await import('./targets/scalar-index.ts')).scalarIndexTarget,
  delta: async () => (await import('./targets/delta.ts')).deltaTarget,
  protobuf: async () => (await import('./targets/protobuf.ts')).protobufTarget,
  catalog: async () => (await import('./targets/catalog.ts')).catalogTarget,
};
