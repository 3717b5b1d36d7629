// Statements -> closures. With tracing each tells what it did; without, nothing of that is in the closures.

import { segments } from '../bgp/wire/as-path.ts';
import type {
  AssignStatement,
  CallStatement,
  CaseStatement,
  Expression,
  ForStatement,
  IfStatement,
  PolicyType,
  Statement,
  UnsetStatement,
  VariableStatement,
  Verdict,
} from './ast.ts';
import type { RouteAttribute } from './attributes.ts';
import { compileCallStatement, compileMethodOn, converted } from './compile-call.ts';
import { makeRangeSet, memberRanges, memberWords, type TypedRange } from './compile-set.ts';
import { compileTerm, noteCustom, truth } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { formatValue, listMembers } from './format.ts';
import { isMember } from './operators.ts';
import { asQuad } from './quads.ts';
import { type Execute, LocatedError, type Run, SIGNAL, type Signal, type TraceEvent } from './run.ts';
import { RangeSet } from './sets.ts';
import type { Span } from './source.ts';
import type { PolicySymbol } from './symbols.ts';
import { isAssignable, List, Pair, PolicyRuntimeError, Quad, typeOf, type Value } from './values.ts';

/** Statements one after the other, in a block of names of its own. */
export function compileBlock(compiler: Compiler, body: readonly Statement[]): Execute {
  compiler.locals.push();
  const statements = body.map((statement) => located(compileStatement(compiler, statement), statement.span));
  compiler.locals.pop();
  return sequence(statements);
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
      const value = statement.value === undefined ? undefined : compileTerm(compiler, statement.value);
      return traced(
        compiler,
        'return',
        statement.span,
        (run) => `return ${formatValue(run.result)}`,
        (run) => {
          run.result = value?.evaluate(run);
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
      const { endsLine } = statement;
      return (run) => {
        run.print(print(run), endsLine);
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
  const { evaluate, span } = condition;
  const { traces } = compiler;
  return (run) => {
    const holds = truth(evaluate(run), "'if'");
    if (traces) run.trace?.({ kind: 'condition', span, text: String(holds) });
    if (holds) return then(run);
    return otherwise === undefined ? SIGNAL.next : otherwise(run);
  };
}

function compileBranch(compiler: Compiler, statement: Statement): Execute {
  return statement.kind === 'block'
    ? compileBlock(compiler, statement.body)
    : compileBlock(compiler, [statement]);
}

function compileCase(compiler: Compiler, statement: CaseStatement): Execute {
  const subject = compileTerm(compiler, statement.subject);
  const labels: TypedRange[][] = [];
  const bodies: Execute[] = [];
  let otherwise = -1;
  for (const arm of statement.arms) {
    if (arm.items === undefined) otherwise = bodies.length;
    labels.push(arm.items?.flatMap((item) => memberRanges(compiler, item)) ?? []);
    bodies.push(compileBlock(compiler, arm.body));
  }
  const find = compiler.dialect === '1.6' ? balancedChoice(labels) : firstChoice(labels);
  const { traces } = compiler;
  const { span } = statement.subject;
  return (run) => {
    const value = subject.evaluate(run);
    const found = find(value);
    const arm = found < 0 ? otherwise : found;
    if (traces) run.trace?.({ kind: 'case', span, text: formatValue(value) });
    return arm < 0 ? SIGNAL.next : bodies[arm]!(run);
  };
}

type Choice = (value: Value) => number;

/** 2.x takes the first arm that has the value. */
function firstChoice(labels: readonly (readonly TypedRange[])[]): Choice {
  const sets = labels.map((ranges) => makeRangeSet(ranges));
  return (value) => {
    if (value === undefined) return -1;
    return sets.findIndex((set) => set !== undefined && isMember(value, set) === true);
  };
}

/** 1.6 has the labels of all arms in one balanced tree, which shows where they overlap. */
function balancedChoice(labels: readonly (readonly TypedRange[])[]): Choice {
  const byElement = new Map<string, { ranges: TypedRange[]; arms: number[] }>();
  for (const [arm, ranges] of labels.entries()) {
    for (const range of ranges) {
      const group = byElement.get(range.element) ?? { ranges: [], arms: [] };
      group.ranges.push(range);
      group.arms.push(arm);
      byElement.set(range.element, group);
    }
  }
  const trees = new Map(
    [...byElement].map(([element, { ranges, arms }]) => {
      const set = new RangeSet(ranges[0]!.element, ranges);
      return [element, { set, arms: set.order.map((order) => arms[order]!) }] as const;
    }),
  );
  return (value) => {
    const member = memberWords(value);
    const tree = member === undefined ? undefined : trees.get(member.element);
    if (member === undefined || tree === undefined) return -1;
    const [w0 = 0, w1, w2, w3] = member.words;
    const found = tree.set.find(w0, w1, w2, w3);
    return found < 0 ? -1 : tree.arms[found]!;
  };
}

/** What the members of a list are. */
const MEMBER_TYPES: Readonly<Partial<Record<PolicyType, PolicyType>>> = {
  bgppath: 'int',
  clist: 'pair',
  eclist: 'ec',
  lclist: 'lc',
};

function compileFor(compiler: Compiler, statement: ForStatement): Execute {
  const subject = compileTerm(compiler, statement.subject);
  const member = MEMBER_TYPES[subject.type];
  if (member === undefined && subject.type !== 'unknown') {
    compiler.diagnostics.error(
      statement.subject.span,
      `'for' goes over paths and lists, this is ${subject.type}`,
    );
  }
  const type = statement.type ?? member ?? 'unknown';
  const fits = member === undefined || isAssignable(member, type) || (member === 'pair' && type === 'quad');
  if (!fits)
    compiler.diagnostics.error(statement.variable.span, `the members are ${member}, the variable is ${type}`);
  compiler.locals.push();
  const slot = declare(compiler, statement.variable, type);
  const body = compileBranch(compiler, statement.body);
  compiler.locals.pop();
  return (run) => {
    for (const value of membersOf(subject.evaluate(run), type)) {
      run.stack[run.base + slot] = value;
      const signal = body(run);
      if (signal !== SIGNAL.next) return signal;
    }
    return SIGNAL.next;
  };
}

function membersOf(value: Value, type: PolicyType): Value[] {
  if (!(typeof value === 'object' && value instanceof List)) {
    throw new PolicyRuntimeError(`'for' goes over paths and lists, not over ${typeOf(value)}`);
  }
  if (value.kind === 'bgppath') return [...segments(value.bytes)].flatMap(({ ases }) => [...ases]);
  const members: Value[] = listMembers(value);
  if (type !== 'quad') return members;
  return members.map((member) => (member instanceof Pair ? new Quad(member.value) : member));
}

function declare(compiler: Compiler, name: VariableStatement['variable'], type: PolicyType): number {
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
      compiler.mistyped(span, `'${call.callee.name}' changes nothing by itself`, 'its result is not used');
      return () => SIGNAL.next;
    }
    if (!compiler.traces) return execute;
    const { name } = call.callee;
    return (run) => {
      run.trace?.({ kind: 'call', span, text: `${name}()` });
      return execute(run);
    };
  }
  if (call.object.kind !== 'name') {
    // `a.add(x).add(y)`: each changes what the one before gave; the innermost names what is set.
    let innermost: Expression = call.object;
    while (innermost.kind === 'method') innermost = innermost.object;
    if (innermost.kind !== 'name') {
      compiler.diagnostics.error(span, 'this changes nothing that has a name');
      return () => SIGNAL.next;
    }
    return compileStore(compiler, innermost, compileTerm(compiler, call), span);
  }
  const object = compileTerm(compiler, call.object);
  const changed = compileMethodOn(compiler, object, call, true);
  if (!CHANGERS.has(call.method.name)) {
    compiler.diagnostics.error(span, `'${call.method.name}' changes nothing`, 'its result is not used');
    return () => SIGNAL.next;
  }
  return compileStore(compiler, call.object, changed, span);
}

/** Methods that stand as statements. */
const CHANGERS: ReadonlySet<string> = new Set(['add', 'delete', 'filter', 'prepend', 'append', 'empty']);
