// What is wrong with a text: every mistake, not just the first, each with its place, the line itself, what was
// expected and what was probably meant. Strings on lines that speak of a secret are not shown.

import { lineOf, type Span } from './source.ts';

export type Severity = 'error' | 'warning';

export interface Diagnostic {
  readonly severity: Severity;
  /** One sentence without a full stop. */
  readonly message: string;
  readonly span: Span;
  /** What was probably meant, or what to do; one sentence. */
  readonly hint?: string;
}

/** Beyond so many a reader has no use for more. */
const MAX_ERRORS = 100;

/** Collects what lexer, parsers and checks find in all files of one configuration. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];
  #errors = 0;

  /** Reports a mistake. One at the very place of an earlier one follows from it and is dropped. */
  error(span: Span, message: string, hint?: string): void {
    const before = this.list.find(
      (other) =>
        other.severity === 'error' && other.span.source === span.source && other.span.start === span.start,
    );
    if (before !== undefined) return;
    this.#errors++;
    if (this.#errors <= MAX_ERRORS) this.#add('error', span, message, hint);
  }

  warning(span: Span, message: string, hint?: string): void {
    this.#add('warning', span, message, hint);
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  /** Errors found, those beyond what the list keeps included. */
  get errorCount(): number {
    return this.#errors;
  }

  /** Forgets everything: for another text that is read with the same names. */
  clear(): void {
    this.list.length = 0;
    this.#errors = 0;
  }

  #add(severity: Severity, span: Span, message: string, hint: string | undefined): void {
    this.list.push(hint === undefined ? { severity, message, span } : { severity, message, span, hint });
  }
}

const SECRET = /password|secret|\bkeys?\b/i;

/** The source line of a span with the contents of strings blacked out where the line speaks of a secret. */
function shownLine(span: Span): string {
  const line = span.source.line(lineOf(span));
  const shown = SECRET.test(line)
    ? line.replaceAll(/"[^"]*"?/g, (text) => `"${'*'.repeat(text.length - 2 < 0 ? 0 : text.length - 2)}"`)
    : line;
  // Control characters would let a file write to the terminal of whoever reads the error.
  return shown.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => (char === '\t' ? ' ' : '\u00b7'));
}

/** `file:line:column: message`, the line, a marker under the place, the hint. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { span, message, severity, hint } = diagnostic;
  const { line, column } = span.source.position(span.start);
  const text = shownLine(span);
  const width = Math.max(1, Math.min(span.end - span.start, text.length - column + 1));
  const margin = String(line).length;
  const rows = [
    `${span.source.name}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${message}`,
    ` ${line} | ${text}`,
    ` ${' '.repeat(margin)} | ${' '.repeat(column - 1)}${'^'.repeat(width)}`,
  ];
  if (hint !== undefined) rows.push(` ${' '.repeat(margin)} = ${hint}`);
  return rows.join('\n');
}
