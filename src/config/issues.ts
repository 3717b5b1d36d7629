// What is wrong with a configuration, and how that is shown: one issue a mistake, each with its place, the source
// line and what to do. Rendered here and nowhere else, so that `godwit check`, the log and a reload's answer agree.

import type { ConfigNode, Path } from './nodes.ts';
import { entryAt, formatPath, nodeAt } from './nodes.ts';
import {
  type Excerpt,
  isSecretKey,
  mentionsSecret,
  printable,
  type SourceText,
  type Span,
} from './source-text.ts';

export interface ConfigIssue {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1; both 0 where the file could not be read at all. */
  readonly line: number;
  readonly column: number;
  /** `peers[0].asn`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** What to do, or what is accepted. */
  readonly hint: string | undefined;
  /** The source line with secrets blacked out. */
  readonly excerpt: Excerpt | undefined;
}

/** Where in a node an issue points. */
export type Anchor = 'key' | 'value';

/** An issue whose words may still hold what is only later known to be secret. */
interface Found {
  readonly severity: ConfigIssue['severity'];
  readonly path: Path;
  readonly span: Span;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Collects the issues of one file; the same mistake at the same place is reported once. */
export class IssueList {
  readonly #source: SourceText;
  readonly #byKey = new Map<string, Found>();
  #hasErrors = false;
  #root: ConfigNode | undefined;

  constructor(source: SourceText) {
    this.#source = source;
  }

  /** The tree in which paths are looked up from now on. */
  setRoot(root: ConfigNode): void {
    this.#root = root;
  }

  get hasErrors(): boolean {
    return this.#hasErrors;
  }

  error(path: Path, message: string, hint?: string, anchor: Anchor = 'value'): void {
    this.#add('error', path, this.#spanOf(path, anchor), message, hint);
  }

  warning(path: Path, message: string, hint?: string, anchor: Anchor = 'value'): void {
    this.#add('warning', path, this.#spanOf(path, anchor), message, hint);
  }

  errorAt(span: Span, path: Path, message: string, hint?: string): void {
    this.#add('error', path, span, message, hint);
  }

  warningAt(span: Span, path: Path, message: string, hint?: string): void {
    this.#add('warning', path, span, message, hint);
  }

  /** Whether the file has something at `path`. */
  has(path: Path): boolean {
    return this.#root !== undefined && nodeAt(this.#root, path) !== undefined;
  }

  lineOf(span: Span): number {
    return this.#source.position(span.start).line;
  }

  /** The line of what stands at `path`. */
  lineAt(path: Path): number {
    return this.lineOf(this.#spanOf(path, 'key'));
  }

  /** All issues in the order of the file. */
  sorted(): ConfigIssue[] {
    const issues = [...this.#byKey.values()].map((found) => this.#shown(found));
    return issues.sort((a, b) => a.line - b.line || a.column - b.column);
  }

  #spanOf(path: Path, anchor: Anchor): Span {
    if (this.#root === undefined) return { start: 0, end: 0 };
    const entry = entryAt(this.#root, path);
    if (anchor === 'key' && entry?.key !== undefined) return entry.key;
    const node = entry?.value ?? nodeAt(this.#root, path);
    if (node !== undefined) return node.span;
    // A key that is missing is shown at what should hold it.
    const parent = this.#spanOf(path.slice(0, -1), 'value');
    return { start: parent.start, end: parent.start + 1 };
  }

  #add(
    severity: ConfigIssue['severity'],
    path: Path,
    span: Span,
    message: string,
    hint: string | undefined,
  ): void {
    const key = `${span.start}:${message}`;
    if (this.#byKey.has(key)) return;
    this.#byKey.set(key, { severity, path, span, message, hint });
    this.#hasErrors ||= severity === 'error';
  }

  #shown({ severity, path, span, message, hint }: Found): ConfigIssue {
    const { line, column } = this.#source.position(span.start);
    return {
      severity,
      file: this.#source.file,
      line,
      column,
      path: printable(formatPath(path.map(hideSecretStep))),
      message: printable(this.#source.withoutHidden(message)),
      hint: hint === undefined ? undefined : printable(this.#source.withoutHidden(hint)),
      excerpt: this.#source.excerpt(span),
    };
  }
}

const PASSWORD_KEYS: readonly unknown[] = ['file', 'env', 'value'];

/** Under a password key, a key that does not belong there may be the password itself: `password: { s3cret }`. */
function hideSecretStep(step: string | number, i: number, path: Path): string | number {
  if (typeof step === 'string' && mentionsSecret(step)) return '<redacted>';
  const parent = path[i - 1];
  const groupName = i === 2 && path[0] === 'peerGroups';
  if (typeof parent !== 'string' || groupName || !isSecretKey(parent)) return step;
  return PASSWORD_KEYS.includes(step) ? step : '<redacted>';
}

export interface FormatOptions {
  readonly color: boolean;
  /** Columns a line with its number may take; 110 unless given. */
  readonly width?: number;
}

const DEFAULT_WIDTH = 110;
/** Line number, bar and two ellipses. */
const MARGIN = 10;
const NARROWEST = 20;
const SGR = { reset: 0, bold: 1, dim: 2, red: 31, yellow: 33, cyan: 36 } as const;

/** Renders issues for a person: place, message, source line with a caret, hint. Ends with a newline unless empty. */
export function formatIssues(issues: readonly ConfigIssue[], options: FormatOptions): string {
  const paint = (code: keyof typeof SGR, text: string): string =>
    options.color ? `\u001b[${SGR[code]}m${text}\u001b[${SGR.reset}m` : text;
  return issues
    .map((issue) => {
      const tone = issue.severity === 'error' ? 'red' : 'yellow';
      const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file;
      const path = issue.path === '' ? '' : `${issue.path}: `;
      const lines = [`${paint('bold', place)}: ${paint(tone, issue.severity)}: ${path}${issue.message}`];
      if (issue.excerpt !== undefined && issue.excerpt.text.trim() !== '') {
        const gutter = `${issue.line}`.padStart(5);
        const shown = crop(issue.excerpt, Math.max((options.width ?? DEFAULT_WIDTH) - MARGIN, NARROWEST));
        const marks = ' '.repeat(shown.caret) + '^'.repeat(shown.length);
        lines.push(paint('dim', `${gutter} | `) + shown.text);
        lines.push(paint('dim', `${' '.repeat(gutter.length)} | `) + paint(tone, marks));
      }
      if (issue.hint !== undefined) lines.push(`  ${paint('cyan', 'hint:')} ${issue.hint}`);
      return `${lines.join('\n')}\n`;
    })
    .join('');
}

/** Cuts a long line to a window around the caret. */
function crop(excerpt: Excerpt, width: number): Excerpt {
  const { text, caret } = excerpt;
  if (text.length <= width) return { ...excerpt, length: Math.min(excerpt.length, text.length - caret || 1) };
  const from = Math.max(0, Math.min(caret - Math.floor(width / 3), text.length - width));
  const cut = text.slice(from, from + width);
  const head = from > 0 ? '\u2026' : '';
  const tail = from + width < text.length ? '\u2026' : '';
  const at = caret - from + head.length;
  return {
    text: head + cut + tail,
    caret: at,
    length: Math.max(1, Math.min(excerpt.length, head.length + cut.length - at)),
  };
}
