import { parseArgs } from 'node:util';
import { DATA_SET_NAMES } from './data-set.ts';
import { OWN_INDEXES } from './mishards.ts';
import { PEERS } from './peers/index.ts';

const EFS = '10,20,40,80,120,160,200,300,400,600,800,1000,1500,2000,3000,4000';
const NPROBES = '1,2,4,8,16,32,64,128,256,512';

const OPTIONS = {
  data: { type: 'string', default: 'glove' },
  rows: { type: 'string' },
  queries: { type: 'string' },
  m: { type: 'string', default: '16' },
  'ef-construction': { type: 'string', default: '200' },
  nlist: { type: 'string' },
  threads: { type: 'string', default: '1' },
  rounds: { type: 'string', default: '5' },
  ef: { type: 'string', default: EFS },
  nprobe: { type: 'string', default: NPROBES },
  'recall-max': { type: 'string', default: '0.995' },
  own: { type: 'string', default: 'mishards' },
  peers: { type: 'string', default: 'hnswlib' },
  filters: { type: 'boolean', default: false },
  plot: { type: 'string' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean', default: false },
} as const;

const HELP = `npm run bench -- kernel [options]: recall and rate of the kernel and its peers
  --data NAME          ${DATA_SET_NAMES.join(', ')}; default glove
  --rows N             default: all of glove, else 200 000, 100 000, 50 000
  --queries N          default 1000
  --own A,B            of ${Object.keys(OWN_INDEXES).join(', ')}; default mishards; the first is compared with the others
  --peers A,B          of ${Object.keys(PEERS).join(', ')}; 'all', or '' for none; default hnswlib
  --m N                default 16               --ef-construction N  default 200
  --nlist N            default 4 * sqrt(rows)   --threads N          of builds, default 1
  --ef A,B,…           ascending, default 10 … 4000; a run ends after the first that reaches --recall-max
  --nprobe A,B,…       default 1 … 512
  --recall-max R       default 0.995            --rounds N           best of, default 5
  --filters            also measure filters of 50, 10, 1 and 0.1 %: random, near the query, far from it
  --plot FILE.svg      also draw recall and rate of every engine
  --seed N             default 1
`;

export interface KernelBenchOptions {
  readonly data: string;
  readonly rows: number | undefined;
  readonly queries: number | undefined;
  readonly M: number;
  readonly efConstruction: number;
  readonly nlist: number | undefined;
  readonly buildThreads: number;
  readonly rounds: number;
  readonly efs: readonly number[];
  readonly nprobes: readonly number[];
  readonly recallMax: number;
  readonly own: readonly string[];
  readonly peers: readonly string[];
  readonly filters: boolean;
  readonly plot: string | undefined;
  readonly seed: number;
}

/** Undefined when help was asked for and printed. */
export function readOptions(args: readonly string[]): KernelBenchOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  const known = Object.keys(PEERS);
  return {
    data: values.data,
    rows: values.rows === undefined ? undefined : number('rows', values.rows),
    queries: values.queries === undefined ? undefined : number('queries', values.queries),
    M: number('m', values.m),
    efConstruction: number('ef-construction', values['ef-construction']),
    nlist: values.nlist === undefined ? undefined : number('nlist', values.nlist),
    buildThreads: number('threads', values.threads),
    rounds: number('rounds', values.rounds),
    efs: ascending('ef', values.ef),
    nprobes: ascending('nprobe', values.nprobe),
    recallMax: number('recall-max', values['recall-max']),
    own: names('own', values.own, Object.keys(OWN_INDEXES)),
    peers: values.peers === 'all' ? known : names('peers', values.peers, known),
    filters: values.filters,
    plot: values.plot,
    seed: Number(values.seed),
  };
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new RangeError(`--${name} is ${text}; it must be a number above 0`);
}

function ascending(name: string, text: string): number[] {
  return text
    .split(',')
    .map((item) => number(name, item))
    .sort((a, b) => a - b);
}

function names(option: string, text: string, known: readonly string[]): string[] {
  const list = text.split(',').filter((name) => name !== '');
  const unknown = list.find((name) => !known.includes(name));
  if (unknown === undefined) return list;
  throw new RangeError(`--${option} names ${unknown}; known: ${known.join(', ')}`);
}
