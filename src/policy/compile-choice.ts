// `case` and `for` -> closures. Which arm a value takes where labels overlap is another matter in each dialect.

import { segments } from '../bgp/wire/as-path.ts';
import type { CaseStatement, ForStatement, PolicyType } from './ast.ts';
import { makeRangeSet, memberRanges, memberWords, type TypedRange } from './compile-set.ts';
import { compileBlock, compileBranch, declare } from './compile-statement.ts';
import { compileTerm } from './compile-term.ts';
import type { Compiler } from './compiler.ts';
import { formatValue, listMembers } from './format.ts';
import { isMember } from './membership.ts';
import { type Execute, SIGNAL } from './run.ts';
import { RangeSet } from './sets.ts';
import { List, PolicyRuntimeError, typeOf, type Value } from './values.ts';

export function compileCase(compiler: Compiler, statement: CaseStatement): Execute {
  const subject = compileTerm(compiler, statement.subject);
  const labels: TypedRange[][] = [];
  const bodies: Execute[] = [];
  let otherwise = -1;
  for (const arm of statement.arms) {
    if (arm.items === undefined) otherwise = bodies.length;
    labels.push(arm.items?.flatMap((item) => memberRanges(compiler, item, true)) ?? []);
    bodies.push(compileBlock(compiler, arm.body));
  }
  const find = compiler.dialect === '1.6' ? balancedChoice(labels, otherwise >= 0) : firstChoice(labels);
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
function balancedChoice(labels: readonly (readonly TypedRange[])[], hasElse: boolean): Choice {
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
      const set = new RangeSet(ranges[0]!.element, ranges, [], hasElse ? 1 : 0);
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

export function compileFor(compiler: Compiler, statement: ForStatement): Execute {
  const subject = compileTerm(compiler, statement.subject);
  const member = MEMBER_TYPES[subject.type];
  if (member === undefined && subject.type !== 'unknown') {
    compiler.diagnostics.error(
      statement.subject.span,
      `'for' goes over paths and lists, this is ${subject.type}`,
    );
  }
  const { type } = statement;
  if (member !== undefined && member !== type)
    compiler.diagnostics.error(statement.variable.span, `the members are ${member}, the variable is ${type}`);
  compiler.locals.push();
  const slot = declare(compiler, statement.variable, type);
  const body = compileBranch(compiler, statement.body);
  compiler.locals.pop();
  return (run) => {
    for (const value of membersOf(subject.evaluate(run))) {
      run.stack[run.base + slot] = value;
      const signal = body(run);
      if (signal !== SIGNAL.next) return signal;
    }
    return SIGNAL.next;
  };
}

function membersOf(value: Value): Value[] {
  if (!(typeof value === 'object' && value instanceof List)) {
    throw new PolicyRuntimeError(`'for' goes over paths and lists, not over ${typeOf(value)}`);
  }
  if (value.kind === 'bgppath') return [...segments(value.bytes)].flatMap(({ ases }) => [...ases]);
  return listMembers(value);
}
