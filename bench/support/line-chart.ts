/** A position on an axis: 0 at its start, 1 at its end. */
export interface Axis {
  readonly label: string;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  position(value: number): number;
}

export interface Series {
  readonly name: string;
  /** In the order they are joined. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Drawn first to last; the first in the strongest line. */
  readonly series: readonly Series[];
}

const WIDTH = 760;
const PLOT = { left: 76, top: 64, width: 520, height: 340 };
const HEIGHT = PLOT.top + PLOT.height + 56;
/** Pairs for light and dark backgrounds, told apart also without red and green. */
const COLOURS = [
  ['#0969da', '#58a6ff'],
  ['#bc4c00', '#f0883e'],
  ['#1a7f37', '#56d364'],
  ['#8250df', '#d2a8ff'],
  ['#9a6700', '#e3b341'],
  ['#bf3989', '#ff9bce'],
  ['#57606a', '#8b949e'],
  ['#116e75', '#39c5cf'],
] as const;

/** The chart as SVG text, readable on light and dark pages. */
export function lineChart(chart: Chart): string {
  const series = chart.series.slice(0, COLOURS.length);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<style>${style()}</style>`,
    text(PLOT.left, 26, 'title', chart.title),
    text(PLOT.left, 46, 'note', chart.subtitle),
    ...grid(chart.x, chart.y),
    ...series.flatMap((one, index) => curve(one, index, chart)),
    ...series.flatMap((one, index) => legend(one, index)),
    '</svg>',
    '',
  ].join('\n');
}

/** From `min` to `max` by powers of ten, ticks at 1, 2 and 5. */
export function logAxis(label: string, min: number, max: number): Axis {
  const [low, high] = [Math.log10(min), Math.log10(max)];
  const ticks: { at: number; text: string }[] = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const factor of [1, 2, 5]) {
      const at = factor * 10 ** power;
      if (at >= min && at <= max) ticks.push({ at, text: short(at) });
    }
  }
  return { label, ticks, position: (value) => (Math.log10(value) - low) / (high - low) };
}

function grid(x: Axis, y: Axis): string[] {
  const { left, top, width, height } = PLOT;
  const bottom = top + height;
  return [
    ...x.ticks.flatMap(({ at, text: label }) => {
      const px = left + width * x.position(at);
      return [line(px, top, px, bottom, 'grid'), text(px, bottom + 18, 'tick middle', label)];
    }),
    ...y.ticks.flatMap(({ at, text: label }) => {
      const py = bottom - height * y.position(at);
      return [line(left, py, left + width, py, 'grid'), text(left - 8, py + 4, 'tick end', label)];
    }),
    line(left, bottom, left + width, bottom, 'axis'),
    line(left, top, left, bottom, 'axis'),
    text(left + width / 2, bottom + 42, 'label middle', x.label),
    `<text class="label middle" transform="translate(20 ${top + height / 2}) rotate(-90)">${escaped(y.label)}</text>`,
  ];
}

function curve({ points }: Series, index: number, { x, y }: Chart): string[] {
  const shown = points.filter((point) => [x.position(point.x), y.position(point.y)].every(isShown));
  const places = shown.map((point) => [
    fixed(PLOT.left + PLOT.width * x.position(point.x)),
    fixed(PLOT.top + PLOT.height * (1 - y.position(point.y))),
  ]);
  const path = places.map((place, at) => `${at === 0 ? 'M' : 'L'}${place.join(' ')}`).join('');
  const strong = index === 0 ? ' strong' : '';
  return [
    `<path class="curve${strong} c${index}" d="${path}"/>`,
    ...places.map(([cx, cy]) => `<circle class="dot d${index}" cx="${cx}" cy="${cy}" r="3"/>`),
  ];
}

function legend({ name }: Series, index: number): string[] {
  const left = PLOT.left + PLOT.width + 20;
  const y = PLOT.top + 12 + index * 22;
  return [
    `<path class="curve${index === 0 ? ' strong' : ''} c${index}" d="M${left} ${y}h22"/>`,
    text(left + 30, y + 4, 'legend', name),
  ];
}

function style(): string {
  const colours = (dark: 0 | 1): string =>
    COLOURS.map((pair, index) => `.c${index}{stroke:${pair[dark]}}.d${index}{fill:${pair[dark]}}`).join('');
  return [
    'text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:12px;fill:#1f2328}',
    '.title{font-size:16px;font-weight:600}.note,.tick{fill:#59636e}.label{font-size:13px}',
    '.middle{text-anchor:middle}.end{text-anchor:end}.grid{stroke:#d1d9e0;stroke-width:.6}',
    '.axis{stroke:#59636e}.curve{fill:none;stroke-width:1.6;stroke-linejoin:round}.strong{stroke-width:3}',
    colours(0),
    '@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.note,.tick{fill:#9198a1}.grid{stroke:#3d444d}',
    `.axis{stroke:#9198a1}${colours(1)}}`,
  ].join('');
}

function isShown(position: number): boolean {
  return position >= -1e-9 && position <= 1 + 1e-9;
}

function line(x1: number, y1: number, x2: number, y2: number, name: string): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map(fixed);
  return `<line class="${name}" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`;
}

function text(x: number, y: number, name: string, content: string): string {
  return `<text class="${name}" x="${fixed(x)}" y="${fixed(y)}">${escaped(content)}</text>`;
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}

function short(value: number): string {
  if (value >= 1000) return `${value / 1000}k`;
  return String(Number(value.toPrecision(3)));
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
