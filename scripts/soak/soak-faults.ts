import { until, type Scene } from '../cluster/scene.ts';
import type { Random } from '../../src/host/index.ts';

/** Kills (or stops the clean way) a reader that is not the first, and waits for it to come back. */
export async function restartReader(scene: Scene, random: Random): Promise<void> {
  await restart(scene, `reader-${2 + random.below(2)}`, random);
}

/** The same for the writer that holds the lease; the other one, or itself, takes over. */
export async function restartWriter(scene: Scene, random: Random): Promise<void> {
  const { writer } = await scene.status();
  if (writer === null) return;
  await restart(scene, writer.nodeId, random);
  await until('there is a writer', async () => (await scene.status()).writer !== null);
}

async function restart(scene: Scene, id: string, random: Random): Promise<void> {
  const { pid } = scene.member(id);
  scene.signal(id, random.next() < 0.5 ? 'SIGKILL' : 'SIGTERM');
  await scene.restarted(id, pid);
}
