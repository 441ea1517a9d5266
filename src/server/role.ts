import type { NodeServices } from './node-services.ts';
import type { NodeInfo, Role } from '../discovery/discovery.ts';
import type { NodeId } from '../schema/index.ts';
import { withSpan } from '../telemetry/tracing.ts';
import type { WireHandler, WireServer } from '../wire/wire.ts';

/** Where a process can be reached; `milvus` only where it is a proxy, `wire` not in one that keeps everything to itself. */
export interface NodeAddresses {
  readonly milvus?: string;
  readonly wire?: string;
  readonly management: string;
}

export interface RoleOptions {
  readonly id: NodeId;
  readonly listenAddress: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A role at work in this process. */
export interface RunningRole extends AsyncDisposable {
  readonly addresses: Partial<NodeAddresses>;
  /** What keeps it from serving; empty when it can. */
  notReady(): readonly string[];
  readonly pages: ReadonlyMap<string, (query: URLSearchParams) => unknown>;
}

export function nodeInfo(
  services: NodeServices,
  role: Role,
  options: RoleOptions,
  address: string,
): NodeInfo {
  const { config, host } = services;
  return {
    id: options.id,
    role,
    address,
    weight: config['node.weight'],
    zone: config['node.zone'],
    version: '0.1.0',
    startedMs: host.clock.nowMs(),
    labels: options.labels,
  };
}

/** Serves a role's calls, counted, timed and traced; ends those under way before it closes. */
export async function listenWire(
  { wire, config, metrics }: NodeServices,
  role: Role,
  address: string,
  handler: WireHandler,
): Promise<WireServer> {
  const server = await wire.listen(address, (method, request, context) =>
    metrics.measure(role, method, () =>
      withSpan(method, context.trace, { 'mishards.role': role }, (trace) =>
        handler(method, request, { ...context, trace }),
      ),
    ),
  );
  return {
    address: server.address,
    drain: (timeoutMs) => server.drain(timeoutMs),
    async [Symbol.asyncDispose]() {
      await server.drain(config['proxy.shutdown_grace']);
      await server[Symbol.asyncDispose]();
    },
  };
}
