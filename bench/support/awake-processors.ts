import { spawn } from 'node:child_process';
import { availableParallelism, setPriority, constants } from 'node:os';

/**
 * Loops of the lowest priority, one a processor, until disposed. A processor without work goes to sleep, and on a virtual machine waking it
 * takes about as long as a small request: what a chain of processes costs is then a matter of the host.
 */
export function awakeProcessors(): Disposable {
  const loops = Array.from({ length: availableParallelism() }, () => {
    const loop = spawn(process.execPath, ['--eval', 'for (;;);'], { stdio: 'ignore' });
    setPriority(loop.pid!, constants.priority.PRIORITY_LOW);
    return loop;
  });
  return { [Symbol.dispose]: () => loops.forEach((loop) => loop.kill('SIGKILL')) };
}
