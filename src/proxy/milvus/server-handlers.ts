import type { FrontServices, Handlers } from './handler.ts';
import { hybridNow } from './timestamps.ts';
import { SUCCESS } from '../translate/status.ts';
import { StateCode } from '../translate/generated/milvus.js';

const IDENTIFIER_BOUND = 2 ** 31;

/** Calls about the server itself. */
export function serverHandlers(
  services: FrontServices,
): Handlers<'Connect' | 'GetVersion' | 'CheckHealth' | 'GetComponentStates' | 'AllocTimestamp'> {
  const { core, clock, random, serverVersion } = services;
  return {
    // Identifiers only let a client tell its connections apart, so proxies need not agree on them.
    Connect: () => ({
      status: SUCCESS,
      identifier:
        (BigInt(random.below(IDENTIFIER_BOUND)) << 31n) | BigInt(1 + random.below(IDENTIFIER_BOUND - 1)),
      serverInfo: { buildTags: serverVersion, deployMode: 'DISTRIBUTED' },
    }),
    GetVersion: () => ({ status: SUCCESS, version: serverVersion }),
    CheckHealth: () => {
      const reasons = problemsOf(services);
      return { status: SUCCESS, isHealthy: reasons.length === 0, reasons };
    },
    GetComponentStates: () => ({
      status: SUCCESS,
      state: { role: 'proxy', stateCode: StateCode.Healthy },
      subcomponentStates: core.nodes().map((node) => ({ role: node.role, stateCode: StateCode.Healthy })),
    }),
    AllocTimestamp: () => ({ status: SUCCESS, timestamp: hybridNow(clock) }),
  };
}

function problemsOf({ core }: FrontServices): string[] {
  const problems: string[] = [];
  if (core.catalog.snapshot().writer === null) problems.push('no writer holds the lease');
  if (!core.nodes().some((node) => node.role === 'reader')) problems.push('no healthy reader is registered');
  return problems;
}
