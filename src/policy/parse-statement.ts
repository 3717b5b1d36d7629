// Statements. A mistake in one does not hide those in the next: the reader goes on behind the `;` or block.

import { nearest } from '../lib/suggest.ts';
import type { CaseArm, Expression, Name, SetItem, Statement, Variable, Verdict } from './ast.ts';
import { enumConstant } from './enums.ts';
import type { Token } from './lexer.ts';
import { nameOf, parseCallOf, parseMember, parseTerm } from './parse-expression.ts';
import { isInParentheses, parseSetItems } from './parse-set.ts';
import { isTypeNext, parseType } from './parse-type.ts';
import { SyntaxStop, type TokenReader } from './token-reader.ts';
import { RESERVED_WORDS } from './words.ts';

type Read = (reader: TokenReader) => Statement;

/** What each word begins. */
const STATEMENTS: Readonly<Record<string, Read>> = {
  if: parseIf,
  case: parseCase,
  return: parseReturn,
  accept: (reader) => parseVerdict(reader, 'accept'),
  reject: (reader) => parseVerdict(reader, 'reject'),
  error: (reader) => parseVerdict(reader, 'error'),
  print: (reader) => parsePrint(reader, true),
  printn: (reader) => parsePrint(reader, false),
  unset: parseUnset,
};

/** `{ ... }`; the brace is next. */
export function parseBody(reader: TokenReader, of: string): Statement[] {
  reader.expectOp('{', `before the body of ${of}`);
  const body = parseStatements(reader, () => false);
  reader.expectOp('}', `at the end of ${of}`);
  return body;
}

/** Up to a closing brace, which is left, or the end. */
export function parseStatementsToEnd(reader: TokenReader): Statement[] {
  return parseStatements(reader, () => false);
}

/** Up to the closing brace, which is left, or whatever `isEnd` says; variables are known up to there. */
function parseStatements(reader: TokenReader, isEnd: () => boolean): Statement[] {
  return reader.scoped(() => parseEachStatement(reader, isEnd));
}

function parseEachStatement(reader: TokenReader, isEnd: () => boolean): Statement[] {
  const body: Statement[] = [];
  while (!reader.atEnd && !reader.isOp('}') && !isEnd()) {
    const before = reader.position;
    try {
      if (reader.dialect === '1.6' && reader.isOp('{')) {
        throw reader.unexpected('a statement', undefined, "blocks stand after 'then' and 'else' only");
      }
      const isVariable = reader.dialect === '2.x' && isTypeNext(reader);
      body.push(isVariable ? parseVariable(reader) : parseStatement(reader));
    } catch (stop) {
      if (!(stop instanceof SyntaxStop)) throw stop;
      recoverInside(reader, before);
    }
  }
  return body;
}

/** Behind the statement that could not be read. Tokens already taken may have held its `;`. */
function recoverInside(reader: TokenReader, before: number): void {
  if (reader.position > before && reader.last.kind === 'op' && reader.last.text === ';') return;
  reader.recover();
  // What is left of an `if` whose condition could not be read.
  while (reader.isWord('else') && !isElseLabel(reader)) {
    reader.next();
    reader.recover();
  }
  if (reader.position === before) reader.next();
}

export function parseStatement(reader: TokenReader): Statement {
  return reader.nested(() => {
    const token = reader.peek();
    if (reader.isOp('{')) return parseBlock(reader);
    if (token.kind === 'word') {
      const read = STATEMENTS[token.text];
      if (read !== undefined && Object.hasOwn(STATEMENTS, token.text)) return read(reader);
      if (token.text === 'for' && reader.dialect === '2.x') return parseFor(reader);
      if (isTypeNext(reader)) {
        const where = reader.dialect === '2.x' ? 'in a block' : 'before the {';
        throw reader.unexpected('a statement', undefined, `variables are declared ${where}`);
      }
    }
    return parseNamed(reader, token);
  });
}

function parseBlock(reader: TokenReader): Statement {
  const start = reader.peek();
  const body = parseBody(reader, 'the block');
  return { kind: 'block', body, span: reader.spanFrom(start) };
}

function parseIf(reader: TokenReader): Statement {
  const start = reader.next();
  const condition = parseTerm(reader);
  if (!reader.takeWord('then')) {
    const hint =
      reader.isOp('{') || reader.isWord('accept') || reader.isWord('reject')
        ? "put 'then' before it"
        : undefined;
    throw reader.unexpected("'then'", 'after the condition', hint);
  }
  const consequent = parseStatement(reader);
  // `else:` begins the last arm of a case around this.
  if (!reader.isWord('else') || isElseLabel(reader)) {
    return { kind: 'if', condition, consequent, span: reader.spanFrom(start) };
  }
  reader.next();
  const otherwise = parseStatement(reader);
  return { kind: 'if', condition, consequent, otherwise, span: reader.spanFrom(start) };
}

/** `else:` in one piece, as only a case has it. */
function isElseLabel(reader: TokenReader): boolean {
  return reader.isWord('else') && reader.isOp(':', 1) && reader.peek(1).start === reader.peek().end;
}

function parseCase(reader: TokenReader): Statement {
  const start = reader.next();
  const subject = parseTerm(reader);
  reader.expectOp('{', 'after the value of the case');
  const arms: CaseArm[] = [];
  while (!reader.isOp('}')) {
    if (reader.atEnd) throw reader.unexpected("'}'", 'at the end of the case');
    try {
      arms.push(parseArm(reader));
    } catch (stop) {
      if (!(stop instanceof SyntaxStop)) throw stop;
      // A label that cannot be read: where the next one begins is a guess, so the rest of the case is passed over.
      while (!reader.isOp('}') && !reader.atEnd) reader.recover();
    }
  }
  reader.expectOp('}');
  return { kind: 'case', subject, arms, span: reader.spanFrom(start) };
}

function parseArm(reader: TokenReader): CaseArm {
  const start = reader.peek();
  let items: CaseArm['items'];
  if (isElseLabel(reader)) {
    reader.next();
    reader.next();
  } else if (reader.isWord('else')) {
    throw reader.unexpected("'else:'", undefined, 'the colon follows at once');
  } else {
    items = parseSetItems(reader);
    checkLabels(reader, items);
    reader.expectOp(':', 'after the values of this arm');
  }
  const body = parseStatements(reader, () => isArmNext(reader));
  const span = reader.spanFrom(start);
  return items === undefined ? { body, span } : { items, body, span };
}

/** Constants of the configuration stand in parentheses there. */
function checkLabels({ dialect, diagnostics }: TokenReader, items: readonly SetItem[]): void {
  const labels = items.flatMap((item) =>
    item.kind === 'value' ? [item.value] : item.kind === 'range' ? [item.from, item.to] : [],
  );
  for (const label of labels) {
    if (label.kind !== 'name' || isInParentheses(label)) continue;
    const { name, span } = label;
    if (enumConstant(name, dialect) === undefined)
      diagnostics.error(span, `the label '${name}' needs parentheses`, `write (${name}):`);
  }
}

/** Whether a label follows instead of a statement: no statement begins so. */
function isArmNext(reader: TokenReader): boolean {
  const token = reader.peek();
  if (isElseLabel(reader)) return true;
  if (token.kind === 'op') return token.text === '(';
  if (token.kind !== 'word' && token.kind !== 'quoted') return true;
  const next = reader.peek(1);
  return next.kind === 'op' && (next.text === ':' || next.text === '..' || next.text === ',');
}

/** `for TYPE x in list do ...`, where `x` is known in what is done only. */
function parseFor(reader: TokenReader): Statement {
  return reader.scoped(() => parseForOf(reader, reader.next()));
}

function parseForOf(reader: TokenReader, start: Token): Statement {
  if (!isTypeNext(reader)) throw reader.unexpected('a type and a name', "after 'for'");
  const type = parseType(reader);
  const variable = parseSymbol(reader, 'the variable');
  reader.expectWord('in', 'after the variable');
  const subject = parseTerm(reader);
  reader.expectWord('do', 'after the list');
  const body = parseStatement(reader);
  const span = reader.spanFrom(start);
  return { kind: 'for', type, variable, subject, body, span };
}

function parseVariable(reader: TokenReader): Statement {
  const start = reader.peek();
  const type = parseType(reader);
  const variable = parseSymbol(reader, 'the name of the variable');
  const value = reader.takeOp('=') ? parseTerm(reader) : undefined;
  if (reader.isOp(',')) throw reader.unexpected("';'", undefined, 'declare one variable at a time');
  endStatement(reader);
  const span = reader.spanFrom(start);
  return { kind: 'variable', type, variable, ...(value === undefined ? {} : { value }), span };
}

/** `TYPE name; TYPE name;` up to the `{`. */
export function parseLocals(reader: TokenReader): Variable[] {
  const locals: Variable[] = [];
  while (isTypeNext(reader)) {
    const start = reader.peek();
    const type = parseType(reader);
    const name = parseSymbol(reader, 'the name of the variable');
    locals.push({ type, name, span: reader.spanFrom(start) });
    if (reader.isOp('='))
      throw reader.unexpected("';'", undefined, 'variables declared here have no value yet');
    reader.expectOp(';', 'after the variable');
  }
  return locals;
}

function parseReturn(reader: TokenReader): Statement {
  const start = reader.next();
  if (reader.isOp(';'))
    throw reader.unexpected('a value', "after 'return'", 'write return 0; where no value is wanted');
  const value = parseTerm(reader);
  endStatement(reader);
  return { kind: 'return', value, span: reader.spanFrom(start) };
}

function parseVerdict(reader: TokenReader, verdict: Verdict): Statement {
  const start = reader.next();
  const message = parseValues(reader);
  endStatement(reader);
  return { kind: 'verdict', verdict, message, span: reader.spanFrom(start) };
}

function parsePrint(reader: TokenReader, endsLine: boolean): Statement {
  const start = reader.next();
  const values = parseValues(reader);
  endStatement(reader);
  return { kind: 'print', endsLine, values, span: reader.spanFrom(start) };
}

/** Terms separated by commas, perhaps none; the last one may have its comma, too. */
function parseValues(reader: TokenReader): Expression[] {
  const values: Expression[] = [];
  const next = reader.peek();
  const isStatement = next.kind === 'word' && Object.hasOwn(STATEMENTS, next.text);
  const isOver = reader.atEnd || reader.isOp(';') || reader.isOp('}');
  if (isOver || reader.isWord('else') || isStatement) return values;
  do values.push(parseTerm(reader));
  while (reader.takeOp(',') && !reader.isOp(';'));
  return values;
}

function parseUnset(reader: TokenReader): Statement {
  const start = reader.next();
  reader.expectOp('(', "after 'unset'");
  const target = nameOf(reader.expectSymbol('an attribute'));
  reader.expectOp(')', 'after the attribute');
  endStatement(reader);
  return { kind: 'unset', target, span: reader.spanFrom(start) };
}

/** A statement that begins with a name: assignment, call or method. */
function parseNamed(reader: TokenReader, token: Token): Statement {
  if (token.kind !== 'quoted' && (token.kind !== 'word' || RESERVED_WORDS.has(token.text))) {
    const hint = reader.isOp(';') ? 'there is no empty statement' : undefined;
    throw reader.unexpected('a statement', undefined, hint);
  }
  const name = nameOf(reader.next());
  if (reader.isOp('(')) {
    const call = parseCallOf(reader, name);
    endStatement(reader);
    return { kind: 'do', call, span: reader.spanFrom(token) };
  }
  if (reader.takeOp('=')) {
    if (reader.isOp('=')) throw reader.unexpected('a value', "after '='", "assignment is a single '='");
    const value = parseTerm(reader);
    endStatement(reader);
    return { kind: 'assign', target: name, value, span: reader.spanFrom(token) };
  }
  if (reader.isOp('.')) {
    const call = { ...parseMember(reader, name), object: name };
    endStatement(reader);
    return { kind: 'do', call, span: reader.spanFrom(token) };
  }
  const meant = token.kind === 'word' ? nearest(token.text, Object.keys(STATEMENTS)) : undefined;
  const hint = meant === undefined ? undefined : `did you mean '${meant}'?`;
  if (meant !== undefined) throw reader.fail(token, `'${token.text}' begins no statement`, hint);
  throw reader.unexpected("'=', '(' or '.'", `after '${token.text}'`, reader.renamedHint(token));
}

/** A name to be defined. */
export function parseSymbol(reader: TokenReader, what: string): Name {
  return nameOf(reader.expectNewName(what));
}

/** Takes the `;`. Where the next line or the end of the block follows instead, nothing but the `;` is missing. */
function endStatement(reader: TokenReader): void {
  if (reader.takeOp(';')) return;
  const stop = reader.missing("';'", 'at the end of the statement');
  const { last } = reader;
  const next = reader.peek();
  const lineOf = (offset: number) => last.source.position(offset).line;
  const isNewLine = next.source === last.source && lineOf(next.start) > lineOf(last.start);
  if (!reader.isOp('}') && !(isNewLine && next.kind === 'word')) throw stop;
}
