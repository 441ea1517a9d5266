import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { lineChart, logAxis, type Axis, type Series } from '../support/line-chart.ts';
import { readReport, type ReportLine } from '../support/report.ts';
import { missed } from './curve.ts';

const RECALL_TICKS = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999];
const RECALL_MIN = 0.7;

/** `npm run bench -- kernel-plot --results FILE --out FILE.svg`: draws what an earlier run of the kernel bench printed. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { results: { type: 'string' }, out: { type: 'string' } },
  });
  if (values.results === undefined || values.out === undefined) {
    throw new RangeError('--results takes the output of a kernel bench, --out the file of the plot');
  }
  await writePlot(values.out, readReport(await readFile(values.results, 'utf8')));
}

/** Recall against queries a second of every engine among the results of one run. */
export async function writePlot(path: string, lines: readonly ReportLine[]): Promise<void> {
  const builds = lines.filter((line) => line['what'] === 'build');
  const [first] = builds;
  if (first === undefined) throw new RangeError('the results hold no build; run the kernel bench first');
  const series = builds.map(({ engine }) => seriesOf(String(engine), lines));
  const points = series.flatMap((one) => one.points);
  const recalls = points.map(({ x }) => x);
  const rates = points.filter(({ x }) => x >= RECALL_MIN).map(({ y }) => y);
  if (rates.length === 0) throw new RangeError(`no search reached recall ${RECALL_MIN}`);
  const rows = Number(first['rows']).toLocaleString('en').replaceAll(',', ' ');
  const svg = lineChart({
    title: `${String(first['data'])}: ${rows} × ${String(first['dim'])}, ${String(first['metric'])}`,
    subtitle: `10 nearest, one thread; M ${String(first['M'])}, efConstruction ${String(first['efConstruction'])}`,
    x: recallAxis(Math.max(Math.min(...recalls), RECALL_MIN), Math.max(...recalls)),
    y: logAxis('queries a second', 0.8 * Math.min(...rates), 1.25 * Math.max(...rates)),
    series,
  });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, svg);
}

function seriesOf(engine: string, lines: readonly ReportLine[]): Series {
  const points = lines
    .filter((line) => line['what'] === 'search' && line['engine'] === engine)
    .map((line) => ({ x: Number(line['recall']), y: Number(line['qps']) }));
  return { name: engine, points: points.sort((a, b) => a.x - b.x) };
}

/** By the logarithm of the share of missed hits: the curves are nearly lines, and the end that matters has room. */
function recallAxis(min: number, max: number): Axis {
  const end = Math.min(max, 0.9995);
  const [low, high] = [missed(min), missed(end)];
  const ticks = RECALL_TICKS.filter((tick) => tick >= min && tick <= end).map((at) => ({
    at,
    text: String(at),
  }));
  return {
    label: 'recall@10',
    ticks,
    position: (recall) => (missed(Math.min(recall, end)) - low) / (high - low),
  };
}
