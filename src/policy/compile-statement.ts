// Statements -> closures. With tracing each tells what it did; without, nothing of that is in the closures.

import type {
  AssignStatement,
  CallStatement,
  IfStatement,
  Name,
  PolicyType,
  Statement,
  UnsetStatement,
  VariableStatement,
  Verdict,
} from './ast.ts';
import type { RouteAttribute } from './attributes.ts';
import { compileCallStatement, converted } from './compile-call.ts';
import { compileCase, compileFor } from './compile-choice.ts';
import { compileMethodOn } from './compile-method.ts';
import { compileTerm, noteCustom, truth } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { formatValue } from './format.ts';
import { asQuad } from './quads.ts';
import { type Execute, LocatedError, type Run, SIGNAL, type Signal, type TraceEvent } from './run.ts';
import type { Span } from './source.ts';
import type { PolicySymbol } from './symbols.ts';
import { EMPTY, isAssignable, PolicyRuntimeError, Quad, typeOf, type Value } from './values.ts';

/** Statements one after the other, in a block of names of its own. */
export function compileBlock(compiler: Compiler, body: readonly Statement[]): Execute {
  compiler.locals.push();
  const execute = compileBody(compiler, body);
  compiler.locals.pop();
  return execute;
}

/** Statements of a function or filter, whose names share a block with its arguments. */
export function compileBody(compiler: Compiler, body: readonly Statement[]): Execute {
  return sequence(body.map((statement) => located(compileStatement(compiler, statement), statement.span)));
}

function sequence(statements: readonly Execute[]): Execute {
  const [first, second] = statements;
  if (first === undefined) return () => SIGNAL.next;
  if (second === undefined) return first;
  const count = statements.length;
  return (run) => {
    for (let i = 0; i < count; i++) {
      const signal = statements[i]!(run);
      if (signal !== SIGNAL.next) return signal;
    }
    return SIGNAL.next;
  };
}

/** Puts the place to an error that has none. */
function located(execute: Execute, span: Span): Execute {
  return (run) => {
    try {
      return execute(run);
    } catch (error) {
      if (error instanceof PolicyRuntimeError && !(error instanceof LocatedError)) {
        throw new LocatedError(error.message, span);
      }
      throw error;
    }
  };
}

function compileStatement(compiler: Compiler, statement: Statement): Execute {
  switch (statement.kind) {
    case 'block':
      return compileBlock(compiler, statement.body);
    case 'if':
      return compileIf(compiler, statement);
    case 'case':
      return compileCase(compiler, statement);
    case 'for':
      return compileFor(compiler, statement);
    case 'variable':
      return compileVariable(compiler, statement);
    case 'assign':
      return compileAssign(compiler, statement);
    case 'unset':
      return compileUnset(compiler, statement);
    case 'return': {
      const value = compileTerm(compiler, statement.value);
      return traced(
        compiler,
        'return',
        statement.span,
        (run) => `return ${formatValue(run.result)}`,
        (run) => {
          run.result = value.evaluate(run);
          return SIGNAL.return;
        },
      );
    }
    case 'verdict': {
      const print = compilePrint(compiler, statement.message);
      const signal = VERDICT_SIGNAL[statement.verdict];
      if (statement.message.length > 0) compiler.facts.prints = true;
      return traced(
        compiler,
        'verdict',
        statement.span,
        () => statement.verdict,
        (run) => {
          if (print !== undefined) run.print(print(run), true);
          return signal;
        },
      );
    }
    case 'print': {
      compiler.facts.prints = true;
      const print = compilePrint(compiler, statement.values) ?? (() => '');
      const { endsLine, span } = statement;
      const { traces } = compiler;
      return (run) => {
        const text = print(run);
        run.print(text, endsLine);
        if (traces) run.trace?.({ kind: 'print', span, text: `print ${text}` });
        return SIGNAL.next;
      };
    }
    case 'do':
      return compileDo(compiler, statement);
  }
}

const VERDICT_SIGNAL: Readonly<Record<Verdict, Signal>> = {
  accept: SIGNAL.accept,
  reject: SIGNAL.reject,
  error: SIGNAL.error,
};

/** Tells after the statement what it did, where anybody wants to know. */
function traced(
  compiler: Compiler,
  kind: TraceEvent['kind'],
  span: Span,
  text: (run: Run) => string,
  execute: Execute,
): Execute {
  if (!compiler.traces) return execute;
  return (run) => {
    const signal = execute(run);
    run.trace?.({ kind, span, text: text(run) });
    return signal;
  };
}

/** The text of all values; undefined of none. */
function compilePrint(
  compiler: Compiler,
  values: readonly Parameters<typeof compileTerm>[1][],
): ((run: Run) => string) | undefined {
  if (values.length === 0) return undefined;
  const terms = values.map((value) => compileTerm(compiler, value));
  return (run) => terms.map((term) => formatValue(term.evaluate(run))).join('');
}

function compileIf(compiler: Compiler, statement: IfStatement): Execute {
  const condition = compileTerm(compiler, statement.condition);
  compiler.want(condition, 'bool', "the condition after 'if'");
  const then = compileBranch(compiler, statement.consequent);
  const otherwise =
    statement.otherwise === undefined ? undefined : compileBranch(compiler, statement.otherwise);
  const evaluate = compiler.condition(condition);
  const { span } = condition;
  const { traces } = compiler;
  return (run) => {
    const holds = truth(evaluate(run), "'if'");
    if (traces) run.trace?.({ kind: 'condition', span, text: String(holds) });
    if (holds) return then(run);
    return otherwise === undefined ? SIGNAL.next : otherwise(run);
  };
}

export function compileBranch(compiler: Compiler, statement: Statement): Execute {
  return statement.kind === 'block'
    ? compileBlock(compiler, statement.body)
    : compileBlock(compiler, [statement]);
}

export function declare(compiler: Compiler, name: VariableStatement['variable'], type: PolicyType): number {
  if (!name.quoted && compiler.symbols.builtin(name.name) !== undefined) {
    compiler.diagnostics.error(
      name.span,
      `'${name.name}' is a name of the language and cannot be a variable`,
    );
  }
  const variable = compiler.locals.declare(name.name, type);
  if (variable !== undefined) return variable.slot;
  compiler.diagnostics.error(name.span, `'${name.name}' is already defined here`);
  return compiler.locals.get(name.name)!.slot;
}

/** Declares arguments and variables that stand before a body. */
export function declareAll(
  compiler: Compiler,
  variables: readonly { readonly name: VariableStatement['variable']; readonly type: PolicyType }[],
): void {
  for (const { name, type } of variables) declare(compiler, name, type);
}

function compileVariable(compiler: Compiler, statement: VariableStatement): Execute {
  const { type, variable } = statement;
  // The value may use an outer variable of the same name.
  const value = statement.value === undefined ? undefined : compileTerm(compiler, statement.value);
  if (value !== undefined) compiler.want(value, type, `the value of '${variable.name}'`);
  const slot = declare(compiler, variable, type);
  return traced(
    compiler,
    'assign',
    statement.span,
    (run) => `${variable.name} = ${formatValue(run.stack[run.base + slot])}`,
    (run) => {
      run.stack[run.base + slot] = value === undefined ? undefined : converted(value.evaluate(run), type);
      return SIGNAL.next;
    },
  );
}

function compileAssign(compiler: Compiler, statement: AssignStatement): Execute {
  const value = compileTerm(compiler, statement.value);
  return compileStore(compiler, statement.target, value, statement.span);
}

/** Stores what the term gives in the variable or attribute. */
function compileStore(
  compiler: Compiler,
  target: AssignStatement['target'],
  value: Term,
  span: Span,
): Execute {
  const symbol = compiler.resolve(target);
  const { name } = target;
  const shown = (stored: Value) => `${name} = ${formatValue(stored)}`;
  if (symbol === undefined) return () => SIGNAL.next;
  switch (symbol.kind) {
    case 'variable': {
      compiler.want(value, symbol.type, `what '${name}' is set to`);
      const { slot, type } = symbol;
      return traced(
        compiler,
        'assign',
        span,
        (run) => shown(run.stack[run.base + slot]),
        (run) => {
          run.stack[run.base + slot] = converted(value.evaluate(run), type);
          return SIGNAL.next;
        },
      );
    }
    case 'attribute':
      return compileSetAttribute(compiler, symbol.attribute, value, span, shown);
    default:
      compiler.diagnostics.error(target.span, `'${name}' is a ${kindName(symbol)} and cannot be set`);
      return () => SIGNAL.next;
  }
}

/** As errors name it. */
function kindName(symbol: PolicySymbol): string {
  return symbol.kind === 'other' ? symbol.what : symbol.kind;
}

const MAX_PREFERENCE = 0xffff;

function compileSetAttribute(
  compiler: Compiler,
  attribute: RouteAttribute,
  value: Term,
  span: Span,
  shown: (value: Value) => string,
): Execute {
  const { name, type } = attribute;
  if (!attribute.writable) compiler.diagnostics.error(span, `'${name}' cannot be set`);
  compiler.want(value, type, `what '${name}' is set to`);
  compiler.facts.writes.add(attribute);
  noteCustom(compiler, attribute);
  const isPreference = attribute.home === 'route' && name === 'preference';
  const { dialect, traces } = compiler;
  const { evaluate } = value;
  return (run) => {
    let stored = evaluate(run);
    if (type === 'quad' && typeof stored === 'object' && stored.kind === 'ip') {
      const quad = asQuad(stored);
      if (quad !== undefined) stored = new Quad(quad);
    }
    if (!isAssignable(typeOf(stored), type))
      throw new PolicyRuntimeError(`'${name}' is ${type} and cannot be ${typeOf(stored)}`);
    if (isPreference && typeof stored === 'number' && stored > MAX_PREFERENCE) {
      if (dialect === '1.6') throw new PolicyRuntimeError(`preference ${stored} is out of range`);
      // 2.x keeps 16 bits of it.
      stored &= MAX_PREFERENCE;
    }
    const problem = run.route.set(attribute, stored);
    if (problem !== undefined) throw new PolicyRuntimeError(problem);
    if (traces) run.trace?.({ kind: 'assign', span, text: shown(stored) });
    return SIGNAL.next;
  };
}

function compileUnset(compiler: Compiler, statement: UnsetStatement): Execute {
  const { target, span } = statement;
  const symbol = compiler.resolve(target);
  if (symbol === undefined) return () => SIGNAL.next;
  if (symbol.kind !== 'attribute' || symbol.attribute.home === 'net' || symbol.attribute.home === 'route') {
    const why = symbol.kind === 'attribute' ? 'every route has it' : 'it is no attribute';
    compiler.diagnostics.error(target.span, `'${target.name}' cannot be unset: ${why}`);
    return () => SIGNAL.next;
  }
  const { attribute } = symbol;
  compiler.facts.writes.add(attribute);
  noteCustom(compiler, attribute);
  return traced(
    compiler,
    'unset',
    span,
    () => `unset ${attribute.name}`,
    (run) => {
      run.route.unset(attribute);
      return SIGNAL.next;
    },
  );
}

function compileDo(compiler: Compiler, statement: CallStatement): Execute {
  const { call, span } = statement;
  if (call.kind === 'call') {
    const execute = compileCallStatement(compiler, call);
    if (execute === undefined) {
      compiler.diagnostics.error(
        span,
        `'${call.callee.name}' changes nothing by itself`,
        'its result is not used',
      );
      return () => SIGNAL.next;
    }
    if (!compiler.traces) return execute;
    const { name } = call.callee;
    return (run) => {
      run.trace?.({ kind: 'call', span, text: `${name}()` });
      return execute(run);
    };
  }
  const object = compileTerm(compiler, call.object);
  const changes = CHANGERS.has(call.method.name);
  if (changes && compiler.dialect === '1.6') checkOldChange(compiler, call.object, object, call.method);
  const changed = compileMethodOn(compiler, object, call, true);
  if (!changes) {
    compiler.diagnostics.error(span, `'${call.method.name}' changes nothing`, 'its result is not used');
    return () => SIGNAL.next;
  }
  return compileStore(compiler, call.object, changed, span);
}

/** 1.6 changes in place what a route may have or not, and empties lists only. */
function checkOldChange(compiler: Compiler, name: Name, { type }: Term, method: Name): void {
  const symbol = compiler.resolve(name);
  const isAttribute = symbol?.kind === 'attribute' && symbol.attribute.home !== 'route';
  const isList = Object.hasOwn(EMPTY, type);
  if (symbol === undefined) return;
  if (isAttribute && (isList || method.name !== 'empty')) return;
  compiler.diagnostics.error(
    method.span,
    `${method.name} does not change ${name.name}`,
    `write ${name.name} = ${method.name}(${name.name}, ...);`,
  );
}

/** Methods that stand as statements. */
const CHANGERS: ReadonlySet<string> = new Set(['add', 'delete', 'filter', 'prepend', 'empty']);
