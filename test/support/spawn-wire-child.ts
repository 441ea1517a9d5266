import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface WireChild extends AsyncDisposable {
  readonly address: string;
  readonly process: ChildProcess;
  /** Resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** A real process that serves `echo` and `hang` at `address`. */
export async function spawnWireChild(address: string): Promise<WireChild> {
  const script = fileURLToPath(new URL('./wire-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, address], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), exited.then(() => [])]);
  const bound: unknown = first[0];
  if (typeof bound !== 'string') throw new Error(`the child for ${address} ended before it listened`);
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  return { address: bound, process: child, kill, [Symbol.asyncDispose]: () => kill('SIGKILL') };
}
