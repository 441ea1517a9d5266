import type { Host, Timers } from '../../src/host/index.ts';

/** A host whose process can be killed: from then on none of its timers fires. */
export interface MortalHost extends Host {
  kill(): void;
}

export function createMortalHost(host: Host): MortalHost {
  let isDead = false;
  const whileAlive = (callback: () => void) => (): void => {
    if (!isDead) callback();
  };
  const timers: Timers = {
    after: (delayMs, callback) => host.timers.after(delayMs, whileAlive(callback)),
    every: (intervalMs, callback) => host.timers.every(intervalMs, whileAlive(callback)),
    sleep: async (delayMs, signal) => {
      await host.timers.sleep(delayMs, signal);
      if (isDead) await new Promise(() => {});
    },
  };
  return { ...host, timers, kill: () => void (isDead = true) };
}
