import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ClusterMember, type MemberOptions } from './cluster-member.ts';
import { planCluster, type ClusterOptions } from './cluster-plan.ts';
import type { NodeAddresses } from '../../server/role.ts';

export interface MemberReport {
  readonly id: string;
  readonly role: string;
  readonly pid: number | null;
  readonly addresses: NodeAddresses | null;
}

const STOP_GRACE_MS = 15_000;

/** A cluster of processes on this host, supervised by this one. */
export class Cluster implements AsyncDisposable {
  readonly #members: readonly ClusterMember[];

  private constructor(members: readonly ClusterMember[]) {
    this.#members = members;
  }

  /** Resolves when every process can serve; if one cannot, all are stopped. */
  static async start(options: ClusterOptions, member: MemberOptions): Promise<Cluster> {
    const dataDirectory = resolve(options.dataDirectory);
    mkdirSync(join(dataDirectory, 'run'), { recursive: true });
    const planned = planCluster({ ...options, dataDirectory });
    const cluster = new Cluster(planned.map((plan) => new ClusterMember(plan, member)));
    try {
      await Promise.all(cluster.#members.map((each) => each.start()));
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  report(): readonly MemberReport[] {
    return this.#members.map(({ planned, pid, addresses }) => ({
      id: planned.id,
      role: planned.role,
      pid,
      addresses,
    }));
  }

  /** Sends a signal to one process; it is started anew if it ends. */
  signal(id: string, name: NodeJS.Signals): void {
    this.#members.find((member) => member.planned.id === id)?.signal(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A Ctrl-C reaches all of them at once: none of them is to be started anew.
    for (const member of this.#members) member.retire();
    // Proxies first, so that no client sees a cluster without readers.
    const roles = ['proxy', 'reader', 'writer'];
    for (const role of roles) {
      const members = this.#members.filter((member) => member.planned.role === role);
      await Promise.all(members.map((member) => member.stop(STOP_GRACE_MS)));
    }
  }
}
