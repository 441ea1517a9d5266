import type { FrontServices, Handlers } from './handler.ts';
import { nodeNumber } from './replica-info.ts';
import type { NodeInfo } from '../../discovery/discovery.ts';
import { MishardsError } from '../../errors/index.ts';
import { jsonParams } from '../translate/key-values.ts';
import { SUCCESS } from '../translate/status.ts';

const SYSTEM_INFO = 'system_info';

/** What a client can learn about the nodes; figures over time are at each node's management address. */
export function metricsHandlers({ core, clock }: FrontServices): Handlers<'GetMetrics'> {
  return {
    GetMetrics({ request }) {
      const type = jsonParams('request', request).get('metric_type');
      if (type !== SYSTEM_INFO) {
        throw new MishardsError(
          'NOT_SUPPORTED',
          `metric_type ${String(type)} is not supported yet; supported is ${SYSTEM_INFO}`,
        );
      }
      const nowMs = clock.nowMs();
      const nodes = core.nodes();
      const nodes_info = nodes.map((node) => ({
        identifier: Number(nodeNumber(node.id)),
        connected: nodes
          .filter((other) => asksEachOther(node, other))
          .map((other) => ({
            connected_identifier: Number(nodeNumber(other.id)),
            type: 'forward',
            target_type: other.role,
          })),
        infos: infosOf(node, nowMs),
      }));
      return { status: SUCCESS, response: JSON.stringify({ nodes_info }), componentName: 'proxy' };
    },
  };
}

/** Proxies ask readers and writers; readers follow writers. */
function asksEachOther(from: NodeInfo, to: NodeInfo): boolean {
  return from.role === 'proxy' ? to.role !== 'proxy' : from.role === 'reader' && to.role === 'writer';
}

function infosOf(node: NodeInfo, nowMs: number): object {
  return {
    has_error: false,
    error_reason: '',
    name: node.id,
    type: node.role,
    id: Number(nodeNumber(node.id)),
    created_time: new Date(node.startedMs).toISOString(),
    uptime_ms: Math.max(0, Math.floor(nowMs - node.startedMs)),
    address: node.address,
    system_info: { system_version: node.version, zone: node.zone, weight: node.weight },
    labels: node.labels,
  };
}
