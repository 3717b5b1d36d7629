// What is wrong where a text is no YAML, in our own words: the parser's may quote what stands there. It notices an
// unclosed quote or bracket where the text ends; a person looks for where it was opened.

import { type Document, isCollection, isScalar, visit, type YAMLError } from 'yaml';
import type { IssueList } from './issues.ts';
import type { SourceText, Span } from './source-text.ts';

interface Finding {
  readonly span: Span;
  readonly message: string;
  readonly hint: string | undefined;
}

export function reportYamlErrors(
  documents: readonly Document.Parsed[],
  source: SourceText,
  issues: IssueList,
): void {
  const found = documents.flatMap((document) => {
    const errors = [...document.errors, ...document.warnings];
    // Brackets that end with an unclosed quote are not the mistake.
    const quote = errors.find(isOpenQuote);
    return quote === undefined ? errors.map((error) => explain(error, document)) : [explain(quote, document)];
  });
  const lines = new Set<number>();
  for (const { span, message, hint } of found) {
    // What follows in a line is mostly the parser finding its way back.
    const { line } = source.position(span.start);
    if (!lines.has(line)) issues.errorAt(span, [], message, hint);
    lines.add(line);
  }
}

function isOpenQuote(error: YAMLError): boolean {
  return error.code === 'MISSING_CHAR' && /^Missing closing ["']/.test(error.message);
}

function explain(error: YAMLError, document: Document.Parsed): Finding {
  const [start, end] = error.pos;
  if (isOpenQuote(error)) {
    const span = opening(document, start, (node) => isScalar(node) && /^QUOTE/.test(node.type ?? ''));
    if (span !== undefined)
      return { span, message: 'this quote is never closed', hint: 'add the closing quote' };
  }
  if (error.code === 'BAD_INDENT' && error.message.startsWith('Flow')) {
    const span = opening(document, start, (node) => isCollection(node) && node.flow === true);
    if (span !== undefined) return { span, message: 'this bracket is not closed', hint: BRACKET_HINT };
  }
  return {
    span: { start, end },
    message: YAML_MESSAGES[error.code] ?? 'this is not valid YAML',
    hint: yamlHint(error.code),
  };
}

const BRACKET_HINT = 'the closing bracket is missing, or a line inside is indented less than the first';

/** Where the innermost node of a kind that ends at `end` begins. */
function opening(document: Document.Parsed, end: number, kind: (node: unknown) => boolean): Span | undefined {
  let span: Span | undefined;
  visit(document, {
    Node(_key, node) {
      if (!kind(node) || !node.range || node.range[0] >= end || node.range[2] < end) return;
      span = { start: node.range[0], end: node.range[0] + 1 };
    },
  });
  return span;
}

/** In our own words, since the parser's may quote what stands there. */
const YAML_MESSAGES: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias is not valid',
  BAD_DQ_ESCAPE: 'this escape sequence is not valid in double quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BAD_SCALAR_START: 'a value without quotes cannot start with this character',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot start here',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside [ ] or { }',
  MISSING_CHAR: 'a character is missing here',
  MULTILINE_IMPLICIT_KEY: 'this key is not followed by a colon',
  MULTIPLE_DOCS: 'a second YAML document',
  TAB_AS_INDENT: 'a tab cannot be used to indent',
  TAG_RESOLVE_FAILED: 'tags (!name) are not used here',
  UNEXPECTED_TOKEN: 'this does not belong here',
};

function yamlHint(code: string): string | undefined {
  switch (code) {
    case 'BAD_DQ_ESCAPE':
      return "use single quotes to keep a backslash: 'a\\b'";
    case 'BAD_SCALAR_START':
      return 'put the value in quotes';
    case 'TAB_AS_INDENT':
      return 'indent with spaces';
    case 'MISSING_CHAR':
      return 'look for a missing comma, colon, quote or closing bracket';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'a key, a colon, a space, then the value; a value that holds ": " needs quotes';
    case 'UNEXPECTED_TOKEN':
      return `inside { } and [ ], a value with brackets or \${...} needs quotes: "\${NAME}"`;
    default:
      return undefined;
  }
}
