// What lexer, parser and mapping found -> the issues that every front-end gives, with secrets blacked out.

import type { Diagnostics } from '../../policy/diagnostics.ts';
import type { Source, Span } from '../../policy/source.ts';
import type { ConfigIssue } from '../issues.ts';
import { isSecretKey, printable, SourceText, withoutSecrets } from '../source-text.ts';

/** All issues in the order of the files and their lines; nothing of them says what `masks` cover. */
export function toIssues(
  diagnostics: Diagnostics,
  masks: readonly Span[],
  files: readonly string[],
): ConfigIssue[] {
  // One that was misspelt may stand anywhere else, too, and a message may name the token that it stumbled over.
  const secrets = new Set(masks.flatMap(secretOf));
  const texts = new Map<Source, SourceText>();
  const textOf = (source: Source): SourceText => {
    let text = texts.get(source);
    if (text === undefined) {
      text = new SourceText(source.name, source.text);
      for (const mask of masks) if (mask.source === source) text.mask(mask);
      for (const secret of secrets) text.hide(secret);
      texts.set(source, text);
    }
    return text;
  };
  const named = masks.map(({ source, start, end }) => `'${source.text.slice(start, end)}'`);
  const unsaid = [...new Set([...secrets, ...named])];
  const hide = (message: string): string => printable(withoutSecrets(message, unsaid));
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

/** What a mask covers, without quotes; nothing where that may be a word of the language that only follows one. */
function secretOf({ source, start, end }: Span): string[] {
  const text = source.text.slice(start, end);
  const [, quoted] = /^["'](.*?)["']?$/s.exec(text) ?? [];
  if (quoted !== undefined) return [quoted];
  const [, before = ''] = /([\w-]+)\s*=?\s*$/.exec(source.text.slice(0, start)) ?? [];
  return isSecretKey(before) ? [text] : [];
}
