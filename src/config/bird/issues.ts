// What lexer, parser and mapping found -> the issues that every front-end gives, with secrets blacked out.

import type { Diagnostics } from '../../policy/diagnostics.ts';
import type { Source, Span } from '../../policy/source.ts';
import type { ConfigIssue } from '../issues.ts';
import { printable, SourceText } from '../source-text.ts';

/** All issues in the order of the files and their lines; no excerpt shows what `masks` cover. */
export function toIssues(
  diagnostics: Diagnostics,
  masks: readonly Span[],
  files: readonly string[],
): ConfigIssue[] {
  const texts = new Map<Source, SourceText>();
  const textOf = (source: Source): SourceText => {
    let text = texts.get(source);
    if (text === undefined) {
      text = new SourceText(source.name, source.text);
      for (const mask of masks) if (mask.source === source) text.mask(mask);
      texts.set(source, text);
    }
    return text;
  };
  // A message may name the token it stumbled over.
  const secrets = masks.map(({ source, start, end }) => `'${source.text.slice(start, end)}'`);
  const hide = (message: string): string =>
    printable(secrets.reduce((text, secret) => text.replaceAll(secret, '<redacted>'), message));
  const issues = diagnostics.list.map(({ severity, message, span, hint }): ConfigIssue => {
    const text = textOf(span.source);
    return {
      severity,
      file: printable(span.source.name),
      ...text.position(span.start),
      path: '',
      message: hide(message),
      hint: hint === undefined ? undefined : hide(hint),
      excerpt: text.excerpt(span),
    };
  });
  const order = new Map(files.map((file, i) => [file, i]));
  return issues.sort(
    (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line || a.column - b.column,
  );
}
