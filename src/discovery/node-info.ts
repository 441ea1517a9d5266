import { MishardsError } from '../errors/index.ts';
import type { NodeId } from '../schema/index.ts';
import { ROLES, type NodeInfo, type Role } from './discovery.ts';

/** A node as another process or a third party describes it. Throws `CORRUPT_DATA`, naming the field. Unknown fields are left out. */
export function checkNodeInfo(value: unknown): NodeInfo {
  if (typeof value !== 'object' || value === null) throw wrong('it is not an object');
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.freeze({
    id: textOf(fields, 'id') as NodeId,
    role: roleOf(fields['role']),
    address: textOf(fields, 'address'),
    weight: weightOf(fields['weight']),
    zone: textOf(fields, 'zone', true),
    version: textOf(fields, 'version', true),
    startedMs: startedOf(fields['startedMs']),
    labels: labelsOf(fields['labels']),
  });
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string, mayBeEmpty = false): string {
  const value = fields[name];
  if (typeof value === 'string' && (mayBeEmpty || value !== '')) return value;
  throw wrong(`its ${name} is ${JSON.stringify(value)}`);
}

function roleOf(value: unknown): Role {
  const role = ROLES.find((known) => known === value);
  if (role !== undefined) return role;
  throw wrong(`its role ${JSON.stringify(value)} is none of ${ROLES.join(', ')}`);
}

function weightOf(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw wrong(`its weight ${JSON.stringify(value)} is not above 0`);
}

function startedOf(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(`its startedMs is ${JSON.stringify(value)}`);
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) throw wrong('its labels are not an object');
  const entries = Object.entries(value);
  const odd = entries.find(([, label]) => typeof label !== 'string');
  if (odd !== undefined) throw wrong(`its label ${odd[0]} is not a text`);
  return Object.freeze(Object.fromEntries(entries) as Record<string, string>);
}

function wrong(why: string): MishardsError {
  return new MishardsError('CORRUPT_DATA', `a discovered node cannot be used: ${why}`);
}
