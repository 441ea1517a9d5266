import { MishardsError } from '../../errors/index.ts';
import type { NodeId } from '../../schema/index.ts';
import { ROLES, type NodeInfo } from '../discovery.ts';

/**
 * An entry of the configuration: `[<id>=]<role>@<address>[;weight=<number>][;zone=<text>]`, for example
 * `reader-1=reader@tcp://10.0.0.5:19540;zone=a`. Without an id it is `<role>@<address>`. Throws `CONFIG_INVALID`.
 */
export function parseStaticNode(entry: string): NodeInfo {
  const [name = '', ...settings] = entry.split(';').map((piece) => piece.trim());
  const match = /^(?:([^=@\s]+)=)?([^=@\s]+)@([a-z]+:\/\/\S+)$/.exec(name);
  const role = ROLES.find((known) => known === match?.[2]);
  const address = match?.[3];
  if (role === undefined || address === undefined) {
    throw invalid(entry, `it must be [<id>=]<role>@<address> with a role of ${ROLES.join(', ')}`);
  }
  const id = (match?.[1] ?? `${role}@${address}`) as NodeId;
  const { weight, zone } = parseSettings(entry, settings);
  return Object.freeze({ id, role, address, weight, zone, version: '', startedMs: 0, labels: {} });
}

function parseSettings(entry: string, settings: readonly string[]): { weight: number; zone: string } {
  const result = { weight: 1, zone: '' };
  for (const setting of settings) {
    const [key, value = ''] = setting.split('=', 2);
    if (key === 'zone') result.zone = value;
    else if (key === 'weight') result.weight = Number(value);
    else throw invalid(entry, `"${setting}" is neither weight=<number> nor zone=<text>`);
  }
  if (Number.isFinite(result.weight) && result.weight > 0) return result;
  throw invalid(entry, `its weight must be a number above 0`);
}

function invalid(entry: string, why: string): MishardsError {
  return new MishardsError('CONFIG_INVALID', `the static node "${entry}" is not usable: ${why}`);
}
