import type { NodeServices } from './node-services.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { HealthCheckingDiscovery } from '../discovery/health-checking-discovery.ts';
import { loadDiscovery } from '../discovery/load-discovery.ts';
import { ReaderClient } from '../protocol/reader-client.ts';

/** Who is announced, by the configured driver, and well: every reader is asked again and again. */
export async function openDiscovery(
  services: Pick<NodeServices, 'config' | 'host' | 'metastore' | 'logger' | 'wire'>,
): Promise<Discovery> {
  const { config, host, metastore, logger, wire } = services;
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
  const intervalMs = config['discovery.probe_interval'];
  return new HealthCheckingDiscovery(announced, {
    host,
    shouldProbe: (node) => node.role === 'reader',
    intervalMs,
    timeoutMs: intervalMs,
    failuresMax: config['discovery.probe_failures_max'],
    probe: async (node, signal) => {
      await using reader = new ReaderClient(wire.connect(node.address));
      await reader.ping({ timeoutMs: intervalMs, signal });
    },
  });
}
