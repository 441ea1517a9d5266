import { join } from 'node:path';
import type { Role } from '../../discovery/discovery.ts';

export interface ClusterOptions {
  readonly proxies: number;
  readonly readers: number;
  readonly writers: number;
  readonly dataDirectory: string;
  /** Of the first proxy; the next ones follow. */
  readonly port: number;
  /** Of the first proxy's management; the next ones follow. 0 = any. */
  readonly managementPort: number;
  /** Arguments every process gets, e.g. `--set`; what a process must have of its own wins over them. */
  readonly arguments: readonly string[];
}

/** One process of the cluster before it runs. */
export interface PlannedMember {
  readonly id: string;
  readonly role: Role;
  readonly arguments: readonly string[];
}

/** Longest path a Unix socket may have. */
const SOCKET_PATH_MAX = 100;

/** Writers first, then readers, then proxies: whoever is asked starts before who asks. */
export function planCluster(options: ClusterOptions): readonly PlannedMember[] {
  const members = (role: Role, count: number): readonly PlannedMember[] =>
    Array.from({ length: count }, (_, index) => {
      const id = `${role}-${index + 1}`;
      const settings = {
        'node.id': id,
        'data.directory': options.dataDirectory,
        'wire.address': wireAddress(options.dataDirectory, id),
        'proxy.port': offsetPort(options.port, index),
        'management.port': role === 'proxy' ? offsetPort(options.managementPort, index) : 0,
      };
      const own = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
      return { id, role, arguments: [role, ...options.arguments, ...own] };
    });
  return [
    ...members('writer', options.writers),
    ...members('reader', options.readers),
    ...members('proxy', options.proxies),
  ];
}

function wireAddress(dataDirectory: string, id: string): string {
  const path = join(dataDirectory, 'run', `${id}.sock`);
  return path.length <= SOCKET_PATH_MAX ? `unix://${path}` : 'tcp://127.0.0.1:0';
}

function offsetPort(first: number, index: number): number {
  return first === 0 ? 0 : first + index;
}
