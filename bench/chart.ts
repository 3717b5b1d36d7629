// The report's picture: for each work a group of bars, one a daemon, as long as its time relative to BIRD's. Where the
// ratios lie far apart the scale is logarithmic and bars start at BIRD's own mark: to the left faster, to the right
// slower. Pure: summaries in, SVG text out.

import { REFERENCE, type Summary } from './report.ts';

const WIDTH = 860;
const LABEL_WIDTH = 96;
const VALUE_WIDTH = 190;
const PLOT_LEFT = LABEL_WIDTH;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const HEAD = 64;
const FOOT = 44;
const TITLE_HEIGHT = 24;
const BAR_HEIGHT = 14;
const BAR_STEP = 18;
const GROUP_GAP = 14;
/** A bar that stands for the reference itself, or for next to nothing, is still to be seen. */
const LEAST_BAR = 2;
/** Ratios further apart than this are unreadable on a linear scale. */
const LINEAR_SPREAD = 8;

/** Colours that colour-blind people tell apart (Okabe and Ito). */
const COLORS: Readonly<Record<string, string>> = {
  godwit: '#d55e00',
  bird: '#0072b2',
  frr: '#009e73',
  gobgp: '#cc79a7',
  openbgpd: '#e69f00',
};
const OTHER_COLOR = '#666666';

export interface ChartText {
  readonly title: string;
  readonly subtitle: string;
  /** By id of the work. */
  readonly works: ReadonlyMap<string, string>;
}

interface Scale {
  readonly logarithmic: boolean;
  /** Where bars start. */
  readonly origin: number;
  readonly ticks: readonly number[];
  x(ratio: number): number;
}

/** undefined where the reference took part in no work: there is nothing to relate to. */
export function chart(rows: readonly Summary[], text: ChartText): string | undefined {
  const charted = rows.filter((row) => row.ratio !== undefined && row.ratio.seconds > 0);
  if (charted.length === 0) return undefined;
  const scale = scaleFor(charted.map((row) => row.ratio!.seconds));
  const works = [...new Set(charted.map((row) => row.work))];
  const groups: string[] = [];
  let y = HEAD;
  for (const work of works) {
    const members = charted.filter((row) => row.work === work);
    groups.push(group(work, text.works.get(work) ?? '', members, scale, y));
    y += TITLE_HEIGHT + members.length * BAR_STEP + GROUP_GAP;
  }
  const height = y + FOOT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(text.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="24" font-size="17" font-weight="600">${escaped(text.title)}</text>`,
    `<text x="12" y="44" fill="#555555">${escaped(text.subtitle)}</text>`,
    ...scale.ticks.map((tick) => axisTick(scale, tick, HEAD - 6, y)),
    ...groups,
    `<text x="${PLOT_LEFT + PLOT_WIDTH / 2}" y="${y + 34}" text-anchor="middle" fill="#555555">time relative to BIRD${
      scale.logarithmic ? ', logarithmic' : ''
    }: shorter and further left is faster</text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** A group of bars under its work's title. */
function group(work: string, title: string, rows: readonly Summary[], scale: Scale, y: number): string {
  const head = `<text x="12" y="${y + 15}" font-weight="600">${escaped(`${work}: ${title}`)}</text>`;
  const bars = rows.map((row, i) => bar(row, scale, y + TITLE_HEIGHT + i * BAR_STEP));
  return `<g data-work="${escaped(work)}">\n${[head, ...bars].join('\n')}\n</g>`;
}

function bar(row: Summary, scale: Scale, y: number): string {
  const ratio = row.ratio!.seconds;
  const [start, end] = [scale.x(scale.origin), scale.x(ratio)];
  const left = Math.min(start, end);
  const width = Math.max(LEAST_BAR, Math.abs(end - start));
  const baseline = y + BAR_HEIGHT - 3;
  const value = `${ratioText(ratio)} (${timeText(row.seconds)})${row.correct ? '' : ', incomplete'}`;
  return [
    `<text x="${PLOT_LEFT - 8}" y="${baseline}" text-anchor="end">${escaped(row.daemon)}</text>`,
    `<rect data-daemon="${escaped(row.daemon)}" data-ratio="${ratio.toFixed(4)}" x="${left.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${COLORS[row.daemon] ?? OTHER_COLOR}"${row.correct ? '' : ' fill-opacity="0.35"'}/>`,
    `<text x="${PLOT_LEFT + PLOT_WIDTH + 10}" y="${baseline}"${row.daemon === REFERENCE ? ' fill="#555555"' : ''}>${escaped(value)}</text>`,
  ].join('\n');
}

function axisTick(scale: Scale, tick: number, top: number, bottom: number): string {
  const x = scale.x(tick).toFixed(1);
  const isReference = tick === 1;
  return (
    `<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" stroke="${isReference ? '#555555' : '#dddddd'}"/>` +
    `<text x="${x}" y="${bottom + 16}" text-anchor="middle" fill="#555555">${ratioText(tick)}</text>`
  );
}

function scaleFor(ratios: readonly number[]): Scale {
  const lowest = Math.min(1, ...ratios);
  const highest = Math.max(1, ...ratios);
  return highest / lowest > LINEAR_SPREAD ? logarithmicScale(lowest, highest) : linearScale(highest);
}

function linearScale(highest: number): Scale {
  const step = highest > 4 ? 1 : highest > 2 ? 0.5 : 0.25;
  const end = Math.ceil(highest / step) * step;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
  const x = (ratio: number): number => PLOT_LEFT + (ratio / end) * PLOT_WIDTH;
  return { logarithmic: false, origin: 0, ticks, x };
}

function logarithmicScale(lowest: number, highest: number): Scale {
  const from = Math.floor(Math.log10(lowest));
  const to = Math.max(from + 1, Math.ceil(Math.log10(highest)));
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  const x = (ratio: number): number => PLOT_LEFT + ((Math.log10(ratio) - from) / (to - from)) * PLOT_WIDTH;
  return { logarithmic: true, origin: 1, ticks, x };
}

function ratioText(ratio: number): string {
  const digits = ratio >= 10 || ratio === 0 || ratio === 1 ? 0 : ratio >= 0.1 ? 2 : 3;
  return `${ratio.toFixed(digits)}×`;
}

function timeText(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toPrecision(3)} ms`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
