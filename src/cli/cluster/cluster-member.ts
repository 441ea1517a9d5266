import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PlannedMember } from './cluster-plan.ts';
import type { ReadyMessage } from '../role-commands.ts';
import { MishardsError } from '../../errors/index.ts';
import type { Timers } from '../../host/index.ts';
import type { NodeAddresses } from '../../server/role.ts';

const EXECUTABLE = fileURLToPath(new URL('../../../bin/mishards.js', import.meta.url));
const RESTART_DELAY_MS = 500;
const RESTART_DELAY_MAX_MS = 30_000;

export interface MemberOptions {
  readonly timers: Timers;
  /** Receives each line the process writes. */
  readonly onLine: (id: string, line: string) => void;
  readonly onExit: (id: string, reason: string) => void;
}

/** A supervised process: started anew, with growing delays, whenever it ends unasked. */
export class ClusterMember {
  readonly planned: PlannedMember;
  readonly #options: MemberOptions;
  #child: ChildProcess | null = null;
  #addresses: NodeAddresses | null = null;
  #restartDelayMs = RESTART_DELAY_MS;
  readonly #stopping = new AbortController();

  constructor(planned: PlannedMember, options: MemberOptions) {
    this.planned = planned;
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** null until it is ready to serve. */
  get addresses(): NodeAddresses | null {
    return this.#addresses;
  }

  /** Resolves when the process can serve; rejects when it ends before that. */
  async start(): Promise<void> {
    const child = fork(EXECUTABLE, [...this.planned.arguments], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child = child;
    this.#forward(child.stdout!);
    this.#forward(child.stderr!);
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `code ${code}`));
    await new Promise<void>((resolve, reject) => {
      child.once('message', (message) => {
        this.#addresses = (message as ReadyMessage).ready;
        this.#restartDelayMs = RESTART_DELAY_MS;
        resolve();
      });
      child.once('exit', (code, signal) =>
        reject(
          new MishardsError(
            'SERVICE_UNAVAILABLE',
            `${this.planned.id} ended with ${signal ?? `code ${code}`} before it was ready`,
          ),
        ),
      );
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** From now on it is not started anew when it ends. */
  retire(): void {
    this.#stopping.abort();
  }

  /** SIGTERM, then SIGKILL after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.retire();
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    using _ = this.#options.timers.after(graceMs, () => child.kill('SIGKILL'));
    await exited;
  }

  #forward(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => this.#options.onLine(this.planned.id, line));
  }

  #ended(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#addresses = null;
    if (this.#stopping.signal.aborted) return;
    this.#options.onExit(this.planned.id, reason);
    void this.#startAgain(this.#restartDelayMs);
    this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, RESTART_DELAY_MAX_MS);
  }

  /** The rest keeps this process alive, also when it is the last thing to wait for. */
  async #startAgain(delayMs: number): Promise<void> {
    const { signal } = this.#stopping;
    await this.#options.timers.sleep(delayMs, signal).catch(() => {});
    // A start that fails ends the process, which is what brings it here again.
    if (!signal.aborted) await this.start().catch(() => {});
  }
}
