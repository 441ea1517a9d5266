import type { NodeServices } from './node-services.ts';
import type { Discovery, Role } from '../discovery/discovery.ts';
import { HealthCheckingDiscovery } from '../discovery/health-checking-discovery.ts';
import { loadDiscovery } from '../discovery/load-discovery.ts';
import { ReaderClient } from '../protocol/reader-client.ts';

/** Who is announced, by the configured driver, and well: whoever asks readers asks them again and again how they are. */
export async function openDiscovery(
  services: Pick<NodeServices, 'config' | 'host' | 'metastore' | 'logger' | 'wire'> & {
    readonly roles: readonly Role[];
  },
): Promise<Discovery> {
  const { config, host, metastore, logger, wire, roles } = services;
  const announced = await loadDiscovery(
    config['discovery.type'],
    {
      host,
      metastore,
      options: { nodes: config['discovery.nodes'], leaseTtlMs: config['discovery.lease_ttl'] },
      onProblem: (error) => logger.warn({ error }, 'discovery has a problem'),
    },
    process.cwd(),
  );
  if (roles.every((role) => role === 'writer')) return announced;
  const intervalMs = config['discovery.probe_interval'];
  return new HealthCheckingDiscovery(announced, {
    host,
    shouldProbe: (node) => node.role === 'reader',
    intervalMs,
    timeoutMs: intervalMs,
    failuresMax: config['discovery.probe_failures_max'],
    connect: (node) => {
      const reader = new ReaderClient(wire.connect(node.address));
      return {
        probe: async (signal) => void (await reader.ping({ timeoutMs: intervalMs, signal })),
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      };
    },
  });
}
