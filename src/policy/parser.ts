// Definitions of the filter language and the places where filters are used. The configuration around them reads
// with the same TokenReader and calls these where one of them begins; `parsePolicy` reads a text that holds nothing
// else.

import { nearest } from '../lib/suggest.ts';
import type {
  AttributeDefinition,
  ConstantDefinition,
  Definition,
  Expression,
  FilterDefinition,
  FilterUse,
  FunctionDefinition,
  Name,
  PolicyType,
  Statement,
  Variable,
} from './ast.ts';
import type { Diagnostics } from './diagnostics.ts';
import { type Dialect, type Token, tokenize } from './lexer.ts';
import { nameOf, parseTerm } from './parse-expression.ts';
import { parseBody, parseLocals, parseStatementsToEnd, parseSymbol } from './parse-statement.ts';
import { isTypeNext, parseType } from './parse-type.ts';
import type { Source } from './source.ts';
import { SyntaxStop, TokenReader } from './token-reader.ts';

export { parsePrimary, parseTerm } from './parse-expression.ts';

/** `function NAME(arguments) [-> TYPE] [locals] { ... }`; the keyword is next. */
export function parseFunction(reader: TokenReader): FunctionDefinition {
  const start = reader.expectWord('function');
  const name = parseSymbol(reader, 'the name of the function');
  return reader.scoped(() => parseFunctionOf(reader, start, name));
}

function parseFunctionOf(reader: TokenReader, start: Token, name: Name): FunctionDefinition {
  const parameters = parseParameters(reader);
  let returns: PolicyType | undefined;
  if (reader.dialect === '2.x' && reader.takeOp('->')) returns = parseType(reader);
  const locals = parseLocals(reader);
  const body = parseBody(reader, `function ${name.name}`);
  const span = reader.spanFrom(start);
  return {
    kind: 'function',
    name,
    parameters,
    ...(returns === undefined ? {} : { returns }),
    locals,
    body,
    span,
  };
}

function parseParameters(reader: TokenReader): Variable[] {
  reader.expectOp('(', 'after the name of the function');
  const parameters: Variable[] = [];
  if (reader.takeOp(')')) return parameters;
  do {
    const start = reader.peek();
    if (!isTypeNext(reader)) throw reader.unexpected('a type and a name', 'in the arguments');
    const type = parseType(reader);
    const name = parseSymbol(reader, 'the name of the argument');
    parameters.push({ type, name, span: reader.spanFrom(start) });
  } while (reader.takeOp(';'));
  if (!reader.takeOp(')')) throw reader.unexpected("';' or ')'", 'after an argument');
  return parameters;
}

/** `filter NAME [locals] { ... }`; the keyword is next. */
export function parseFilter(reader: TokenReader): FilterDefinition {
  const start = reader.expectWord('filter');
  const name = parseSymbol(reader, 'the name of the filter');
  const { locals, body } = parseFilterBody(reader, `filter ${name.name}`);
  return { kind: 'filter', name, locals, body, span: reader.spanFrom(start) };
}

/** `[locals] { ... }` */
function parseFilterBody(reader: TokenReader, of: string): Pick<FilterDefinition, 'locals' | 'body'> {
  return reader.scoped(() => ({ locals: parseLocals(reader), body: parseBody(reader, of) }));
}

/** `define NAME = term;`; the keyword is next. */
export function parseDefine(reader: TokenReader): ConstantDefinition {
  const start = reader.expectWord('define');
  const name = parseSymbol(reader, 'the name of the constant');
  reader.expectOp('=', 'after the name of the constant');
  const value = parseTerm(reader);
  reader.expectOp(';', 'after the value');
  return { kind: 'define', name, value, span: reader.spanFrom(start) };
}

const MAX_ATTRIBUTE_TYPE = 255;

/** `attribute TYPE NAME;` or `attribute bgp N bytestring NAME;`; the keyword is next. 2.x only. */
export function parseAttribute(reader: TokenReader): AttributeDefinition {
  const start = reader.expectWord('attribute');
  let bgp: number | undefined;
  if (reader.takeWord('bgp')) {
    const token = reader.expectNumber('the number of the attribute');
    bgp = token.number;
    if (bgp < 1 || bgp > MAX_ATTRIBUTE_TYPE)
      reader.diagnostics.error(token, 'attribute numbers go from 1 to 255');
  }
  if (!isTypeNext(reader)) throw reader.unexpected('a type and a name');
  const type = parseType(reader);
  const name = parseSymbol(reader, 'the name of the attribute');
  reader.expectOp(';', 'after the attribute');
  return {
    kind: 'attribute',
    name,
    type,
    ...(bgp === undefined ? {} : { bgp }),
    span: reader.spanFrom(start),
  };
}

/** `all`, `none`, `filter NAME`, `filter { ... }` or `where term`, as it follows `import` and `export`. */
export function parseFilterUse(reader: TokenReader): FilterUse {
  const start = reader.peek();
  if (reader.takeWord('all')) return { kind: 'all', span: start };
  if (reader.takeWord('none')) return { kind: 'none', span: start };
  if (reader.takeWord('where')) {
    const condition = parseTerm(reader);
    return { kind: 'where', condition, span: reader.spanFrom(start) };
  }
  if (reader.takeWord('filter')) {
    if (reader.isOp('{') || isTypeNext(reader)) {
      const { locals, body } = parseFilterBody(reader, 'the filter');
      const span = reader.spanFrom(start);
      return { kind: 'anonymous', filter: { kind: 'filter', locals, body, span }, span };
    }
    const name = nameOf(reader.expectSymbol('the name of a filter or {'));
    return { kind: 'named', name, span: reader.spanFrom(start) };
  }
  throw reader.unexpected("'all', 'none', 'filter' or 'where'");
}

/** `{ statements }` as a static route has; the brace is next. */
export function parseCommands(reader: TokenReader): Statement[] {
  const body = parseBody(reader, 'the commands');
  for (const { kind, span } of body) {
    if (kind !== 'variable') continue;
    reader.diagnostics.error(
      span,
      'the commands of a route have no variables of their own',
      'declare it in a block within: { { int x; ... } }',
    );
  }
  return body;
}

/** What each keyword begins. */
const DEFINITIONS: Readonly<Record<string, (reader: TokenReader) => Definition>> = {
  function: parseFunction,
  filter: parseFilter,
  define: parseDefine,
};

/** Reads a text of definitions only: functions, filters, constants and (2.x) attributes. */
export function parsePolicy(source: Source, dialect: Dialect, diagnostics: Diagnostics): Definition[] {
  return parseDefinitions(new TokenReader(tokenize(source, dialect, diagnostics), dialect, diagnostics));
}

/** The same of tokens at hand. */
export function parseDefinitions(reader: TokenReader): Definition[] {
  const definitions: Definition[] = [];
  while (!reader.atEnd) {
    const before = reader.position;
    try {
      definitions.push(parseDefinition(reader));
      reader.takeOp(';');
    } catch (stop) {
      if (!(stop instanceof SyntaxStop)) throw stop;
      reader.recover();
      if (reader.position === before) reader.next();
    }
  }
  return definitions;
}

function parseDefinition(reader: TokenReader): Definition {
  const token = reader.peek();
  if (token.kind === 'word') {
    if (token.text === 'attribute' && reader.dialect === '2.x') return parseAttribute(reader);
    if (Object.hasOwn(DEFINITIONS, token.text)) return DEFINITIONS[token.text]!(reader);
    const meant = nearest(token.text, [...Object.keys(DEFINITIONS), 'attribute']);
    if (meant !== undefined)
      throw reader.fail(token, `'${token.text}' begins no definition`, `did you mean '${meant}'?`);
  }
  throw reader.unexpected('a function, filter, define or attribute');
}

/** Reads a text that is the inside of a filter and nothing else. Throws SyntaxStop where it is none. */
export function parseFilterText(reader: TokenReader): Pick<FilterDefinition, 'locals' | 'body'> {
  const locals = parseLocals(reader);
  const body = parseStatementsToEnd(reader);
  if (!reader.atEnd) throw reader.unexpected('a statement', 'in the filter');
  return { locals, body };
}

/** Reads a text that is one term and nothing else; undefined where it is none. */
export function parseExpression(
  source: Source,
  dialect: Dialect,
  diagnostics: Diagnostics,
): Expression | undefined {
  const reader = new TokenReader(tokenize(source, dialect, diagnostics), dialect, diagnostics);
  try {
    const term = parseTerm(reader);
    reader.takeOp(';');
    if (!reader.atEnd) throw reader.unexpected('the end of the expression');
    return diagnostics.hasErrors ? undefined : term;
  } catch (stop) {
    if (!(stop instanceof SyntaxStop)) throw stop;
    return undefined;
  }
}
