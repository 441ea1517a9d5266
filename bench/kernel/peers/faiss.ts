import { join } from 'node:path';
import type { Engine, Task } from '../engine.ts';
import { pythonPackage } from './peer-cache.ts';
import { commonArguments, runProgram, writeRawFiles } from './raw-files.ts';

const VERSION = '1.15.1';

/** Meta's faiss from its Python wheel; every search hands it all queries at once. */
function faiss(kind: 'hnsw' | 'ivf', params: (task: Task) => readonly number[]): Engine {
  return async (task) => {
    const python = await pythonPackage('faiss-cpu', VERSION);
    const { base, queries, truth } = await writeRawFiles(task);
    const script = join(import.meta.dirname, 'faiss_peer.py');
    const own = params(task).map(String);
    return runProgram(python, [script, base, queries, truth, ...commonArguments(task), kind, ...own]);
  };
}

export const runFaissHnsw = faiss('hnsw', (task) => [task.M, task.efConstruction, ...task.efs]);
export const runFaissIvf = faiss('ivf', (task) => [task.nlist, 0, ...task.nprobes]);
