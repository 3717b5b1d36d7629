// Aligned columns. On a terminal the flexible column gives way so that a row stays one line; elsewhere nothing is
// cut, because a script may read it. Tables of unknown length are laid out by their first rows.

import { type Look, type Paint, safeText } from './style.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** The column that is cut when the terminal is too narrow. */
  readonly flexible?: boolean;
  value(row: Row): string;
  paint?(row: Row, look: Look): Paint;
}

const GAP = '  ';
const ELLIPSIS = '…';
const MIN_FLEXIBLE = 8;

interface Layout {
  readonly widths: readonly number[];
}

/** The whole table, header included, each line ended. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], look: Look): string {
  const cells = rows.map((row) => cellsOf(columns, row));
  const layout = layOut(columns, cells, look);
  const lines = [headerLine(columns, layout, look)];
  rows.forEach((row, index) => {
    lines.push(rowLine(columns, row, cells[index] ?? [], layout, look));
  });
  return `${lines.join('\n')}\n`;
}

/** A table whose rows come one by one: the first `sample` of them are held back to find the widths. */
export class StreamingTable<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #look: Look;
  readonly #sample: number;
  #held: Row[] = [];
  #layout: Layout | undefined;

  constructor(columns: readonly Column<Row>[], look: Look, sample = 200) {
    this.#columns = columns;
    this.#look = look;
    this.#sample = sample;
  }

  /** Text to print now, or nothing yet. */
  add(row: Row): string {
    if (this.#layout !== undefined) {
      return `${rowLine(this.#columns, row, cellsOf(this.#columns, row), this.#layout, this.#look)}\n`;
    }
    this.#held.push(row);
    return this.#held.length < this.#sample ? '' : this.#release();
  }

  /** What is still held back. */
  end(): string {
    return this.#layout === undefined && this.#held.length > 0 ? this.#release() : '';
  }

  #release(): string {
    const rows = this.#held;
    this.#held = [];
    this.#layout = layOut(
      this.#columns,
      rows.map((row) => cellsOf(this.#columns, row)),
      this.#look,
    );
    return renderTable(this.#columns, rows, this.#look);
  }
}

function cellsOf<Row>(columns: readonly Column<Row>[], row: Row): string[] {
  return columns.map((column) => safeText(column.value(row)));
}

function layOut<Row>(columns: readonly Column<Row>[], cells: readonly string[][], look: Look): Layout {
  const widths = columns.map((column, index) =>
    cells.reduce((widest, row) => Math.max(widest, (row[index] ?? '').length), column.title.length),
  );
  const flexible = columns.findIndex((column) => column.flexible === true);
  if (look.width !== undefined && flexible >= 0) {
    const total = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
    const own = widths[flexible] ?? 0;
    const smallest = Math.min(own, Math.max(MIN_FLEXIBLE, columns[flexible]?.title.length ?? 0));
    if (total > look.width) widths[flexible] = Math.max(smallest, own - (total - look.width));
  }
  return { widths };
}

function headerLine<Row>(columns: readonly Column<Row>[], layout: Layout, look: Look): string {
  const titles = columns.map((column, index) => padTo(column, column.title, layout.widths[index] ?? 0));
  return look.style.bold(titles.join(GAP).trimEnd());
}

function rowLine<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  cells: readonly string[],
  layout: Layout,
  look: Look,
): string {
  const parts = columns.map((column, index) => {
    const cut = column.flexible === true && look.width !== undefined;
    const width = layout.widths[index] ?? 0;
    const text = cells[index] ?? '';
    const shown = cut && text.length > width ? `${text.slice(0, Math.max(0, width - 1))}${ELLIPSIS}` : text;
    const last = index === columns.length - 1;
    const padded = last && column.align !== 'right' ? shown : padTo(column, shown, width);
    return column.paint === undefined ? padded : column.paint(row, look)(padded);
  });
  return parts.join(GAP).trimEnd();
}

function padTo<Row>(column: Column<Row>, text: string, width: number): string {
  return column.align === 'right' ? text.padStart(width) : text.padEnd(width);
}
