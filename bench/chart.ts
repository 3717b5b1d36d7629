// The report's picture: for each work a group of bars, one a daemon, as long as its time, delay or memory relative to
// BIRD's. Where the ratios lie far apart the scale is logarithmic and bars start at BIRD's own mark: to the left better,
// to the right worse. Pure: summaries in, SVG text out.

import { headlineRatio, type Summary } from './report.ts';

const WIDTH = 860;
const LABEL_WIDTH = 124;
const VALUE_WIDTH = 190;
const PLOT_LEFT = LABEL_WIDTH;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const HEAD = 84;
const FOOT = 44;
const TITLE_HEIGHT = 24;
const BAR_HEIGHT = 14;
const BAR_STEP = 18;
const GROUP_GAP = 14;
/** A bar that stands for the reference itself, or for next to nothing, is still to be seen. */
const LEAST_BAR = 2;
/** Ratios further apart than this are unreadable on a linear scale. */
const LINEAR_SPREAD = 8;
const MIB = 1 << 20;

/** Colours that colour-blind people tell apart (Okabe and Ito), for all releases of a daemon. */
const COLORS: Readonly<Record<string, string>> = {
  godwit: '#d55e00',
  bird: '#0072b2',
  frr: '#009e73',
  gobgp: '#cc79a7',
  openbgpd: '#e69f00',
};
const OTHER_COLOR = '#666666';
const BETTER_COLOR = '#f2f8f4';
const QUIET_INK = '#555555';

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

interface Row {
  readonly summary: Summary;
  readonly ratio: number;
}

/** undefined where the reference took part in no work: there is nothing to relate to. */
export function chart(summaries: readonly Summary[], text: ChartText): string | undefined {
  const rows = summaries.flatMap((summary): Row[] => {
    const ratio = headlineRatio(summary);
    return ratio === undefined || !Number.isFinite(ratio) || ratio <= 0 ? [] : [{ summary, ratio }];
  });
  if (rows.length === 0) return undefined;
  const scale = scaleFor(rows.map(({ ratio }) => ratio));
  const works = [...new Set(rows.map(({ summary }) => summary.work))];
  const groups: string[] = [];
  let y = HEAD;
  for (const work of works) {
    const members = rows.filter(({ summary }) => summary.work === work);
    groups.push(group(work, text.works.get(work) ?? '', members, scale, y));
    y += TITLE_HEIGHT + members.length * BAR_STEP + GROUP_GAP;
  }
  const height = y + FOOT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(text.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="24" font-size="17" font-weight="600">${escaped(text.title)}</text>`,
    `<text x="12" y="44" fill="${QUIET_INK}">${escaped(text.subtitle)}</text>`,
    ...directions(scale),
    ...groups,
    ...scale.ticks.map((tick) => tickLabel(scale, tick, y)),
    `<text x="${PLOT_LEFT + PLOT_WIDTH / 2}" y="${y + 34}" text-anchor="middle" fill="${QUIET_INK}">time, delay or memory relative to BIRD${
      scale.logarithmic ? ', logarithmic' : ''
    }</text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** Above the plot: which way is good. */
function directions(scale: Scale): string[] {
  const x = scale.x(1);
  const words: [number, 'start' | 'end', string][] = [
    [x - 8, 'end', '◀ less than BIRD: better'],
    [x + 8, 'start', 'more: worse ▶'],
  ];
  const room = { end: x - PLOT_LEFT, start: PLOT_LEFT + PLOT_WIDTH + VALUE_WIDTH - x };
  return words
    .filter(([, anchor]) => room[anchor] > DIRECTION_WIDTH)
    .map(
      ([at, anchor, words]) =>
        `<text x="${at.toFixed(1)}" y="${HEAD - 12}" text-anchor="${anchor}" fill="${QUIET_INK}">${words}</text>`,
    );
}

const DIRECTION_WIDTH = 150;

/** A group of bars under its work's title. */
function group(work: string, title: string, rows: readonly Row[], scale: Scale, y: number): string {
  const [top, bottom] = [y + TITLE_HEIGHT - 3, y + TITLE_HEIGHT + rows.length * BAR_STEP];
  const head = `<text x="12" y="${y + 15}" font-weight="600">${escaped(`${work}: ${title}`)}</text>`;
  const better = `<rect x="${PLOT_LEFT}" y="${top}" width="${(scale.x(1) - PLOT_LEFT).toFixed(1)}" height="${bottom - top}" fill="${BETTER_COLOR}"/>`;
  const lines = scale.ticks.map((tick) => gridLine(scale, tick, top, bottom));
  const bars = rows.map((row, i) => bar(row, scale, y + TITLE_HEIGHT + i * BAR_STEP));
  return `<g data-work="${escaped(work)}">\n${[head, better, ...lines, ...bars].join('\n')}\n</g>`;
}

function bar({ summary, ratio }: Row, scale: Scale, y: number): string {
  const { daemon, correct } = summary;
  const [start, end] = [scale.x(scale.origin), scale.x(ratio)];
  const left = Math.min(start, end);
  const width = Math.max(LEAST_BAR, Math.abs(end - start));
  const baseline = y + BAR_HEIGHT - 3;
  const value = `${ratioText(ratio)} (${valueText(summary)})${correct ? '' : ', incomplete'}`;
  const color = COLORS[daemon.split(' ')[0]!] ?? OTHER_COLOR;
  return [
    `<text x="${PLOT_LEFT - 8}" y="${baseline}" text-anchor="end">${escaped(daemon)}</text>`,
    `<rect data-daemon="${escaped(daemon)}" data-ratio="${ratio.toFixed(4)}" x="${left.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${color}"${correct ? '' : ' fill-opacity="0.35"'}/>`,
    `<text x="${PLOT_LEFT + PLOT_WIDTH + 10}" y="${baseline}">${escaped(value)}</text>`,
  ].join('\n');
}

function gridLine(scale: Scale, tick: number, top: number, bottom: number): string {
  const x = scale.x(tick).toFixed(1);
  return `<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" stroke="${tick === 1 ? QUIET_INK : '#dddddd'}"/>`;
}

function tickLabel(scale: Scale, tick: number, bottom: number): string {
  return `<text x="${scale.x(tick).toFixed(1)}" y="${bottom + 12}" text-anchor="middle" fill="${QUIET_INK}">${tickText(tick)}</text>`;
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

/** In steps of 1, 2 and 5, so that the outermost bars fill the plot; with many decades only those are ticks. */
function logarithmicScale(lowest: number, highest: number): Scale {
  const steps = Array.from({ length: 25 }, (_, i) => i - 12).flatMap((decade) =>
    [1, 2, 5].map((digit) => Number(`${digit}e${decade}`)),
  );
  const from = steps.findLast((step) => step <= lowest)!;
  const to = steps.find((step) => step >= Math.max(highest, from * 10))!;
  const decades = Math.log10(to / from);
  const shown = steps.filter((step) => step >= from && step <= to);
  const ticks = decades > MANY_DECADES ? shown.filter((step) => Number.isInteger(Math.log10(step))) : shown;
  const x = (ratio: number): number => PLOT_LEFT + (Math.log10(ratio / from) / decades) * PLOT_WIDTH;
  return { logarithmic: true, origin: 1, ticks, x };
}

/** More have no room for ticks between. */
const MANY_DECADES = 4;

function ratioText(ratio: number): string {
  const digits = ratio >= 10 || ratio === 0 || ratio === 1 ? 0 : ratio >= 0.1 ? 2 : 3;
  return `${ratio.toFixed(digits)}×`;
}

/** Of an axis: no more digits than it takes. */
function tickText(tick: number): string {
  return `${tick}×`;
}

function valueText({ measure, seconds, peakRss }: Summary): string {
  if (measure === 'memory') return `${(peakRss.median / MIB).toFixed(0)} MiB`;
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toPrecision(3)} ms`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
