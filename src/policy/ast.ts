// The filter language as a tree with places: what was written, before names are looked up and types are known. Names
// of constants, variables and attributes are all `name` nodes; check.ts says what each is. Nothing here knows a
// dialect: what a dialect has not, its parser does not produce.

import type { FlowExpression, NetExpression } from './ast-net.ts';
import type { PrefixPatterns } from './prefix-patterns.ts';
import type { Span } from './source.ts';

/** Types with a name in the language; enum types and sets are made from them. */
export const BASIC_TYPES = [
  'bool',
  'int',
  'pair',
  'quad',
  'ip',
  'prefix',
  'rd',
  'mac',
  'string',
  'bytestring',
  'ec',
  'lc',
  'bgpmask',
  'bgppath',
  'clist',
  'eclist',
  'lclist',
  'route',
] as const;
export type BasicType = (typeof BASIC_TYPES)[number];

export const ENUM_NAMES = [
  'source',
  'dest',
  'origin',
  'scope',
  'net',
  'roa',
  'aspa',
  'cast',
  'af',
  'mpls_policy',
  'ra_preference',
] as const;
export type EnumName = (typeof ENUM_NAMES)[number];
export type EnumType = `enum ${EnumName}`;

/** Types whose sets can be written. */
export type SetElementType = 'int' | 'pair' | 'quad' | 'ip' | 'prefix' | 'rd' | 'ec' | 'lc' | EnumType;
export type SetType = `${SetElementType} set`;

/**
 * A static type. `unknown`: only known when it runs (what a function returns that does not declare it); `void`: no
 * value; `empty set`: `[ ]`, a set of anything.
 */
export type PolicyType = BasicType | EnumType | SetType | 'empty set' | 'void' | 'unknown';

interface Node {
  readonly span: Span;
}

// --- expressions

export type BinaryOperator =
  | '&&'
  | '||'
  | '='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | '~'
  | '!~'
  | '+'
  | '-'
  | '*'
  | '/'
  | '++';
export type UnaryOperator = '!' | '-';

export interface NumberLiteral extends Node {
  readonly kind: 'number';
  readonly value: number;
}
export interface BoolLiteral extends Node {
  readonly kind: 'bool';
  readonly value: boolean;
}
export interface StringLiteral extends Node {
  readonly kind: 'string';
  readonly value: string;
}
/** ip: 4 or 16 octets; rd: 8; mac: 6; bytes: any number. */
export interface OctetsLiteral extends Node {
  readonly kind: 'ip' | 'rd' | 'mac' | 'bytes';
  readonly bytes: Uint8Array;
}
export interface PrefixLiteral extends Node {
  readonly kind: 'prefix';
  readonly bytes: Uint8Array;
  readonly length: number;
}
/** A constant, a variable, an argument, an attribute or an enum value. */
export interface Name extends Node {
  readonly kind: 'name';
  readonly name: string;
  /** Written in apostrophes: never a keyword. */
  readonly quoted: boolean;
}
export interface PairExpression extends Node {
  readonly kind: 'pair';
  readonly high: Expression;
  readonly low: Expression;
}
/** `(rt, key, value)`; subtype is there for `unknown`. */
export interface EcExpression extends Node {
  readonly kind: 'ec';
  readonly which: EcKind;
  readonly subtype?: Expression;
  readonly key: Expression;
  readonly value: Expression;
}
export const EC_KINDS = ['rt', 'ro', 'generic', 'unknown'] as const;
export type EcKind = (typeof EC_KINDS)[number];
export interface LcExpression extends Node {
  readonly kind: 'lc';
  readonly parts: readonly [Expression, Expression, Expression];
}
export interface SetExpression extends Node {
  readonly kind: 'set';
  readonly items: readonly SetItem[];
}
/** `[= ... =]` */
export interface MaskExpression extends Node {
  readonly kind: 'mask';
  readonly items: readonly MaskItem[];
}
/** `+empty+`, `-empty-`, `--empty--`, `---empty---` */
export interface EmptyExpression extends Node {
  readonly kind: 'empty';
  readonly of: 'bgppath' | 'clist' | 'eclist' | 'lclist';
}
export interface UnaryExpression extends Node {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}
export interface BinaryExpression extends Node {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}
/** A function of the configuration or of the language (`defined`, `prepend`, `roa_check`, ...). */
export interface CallExpression extends Node {
  readonly kind: 'call';
  readonly callee: Name;
  readonly args: readonly Expression[];
}
/** `object.name` or `object.name(args)`. */
export interface MethodExpression extends Node {
  readonly kind: 'method';
  readonly object: Expression;
  readonly method: Name;
  /** undefined: written without parentheses */
  readonly args?: readonly Expression[];
}

export type Expression =
  | NumberLiteral
  | BoolLiteral
  | StringLiteral
  | OctetsLiteral
  | PrefixLiteral
  | NetExpression
  | FlowExpression
  | Name
  | PairExpression
  | EcExpression
  | LcExpression
  | SetExpression
  | MaskExpression
  | EmptyExpression
  | UnaryExpression
  | BinaryExpression
  | CallExpression
  | MethodExpression;

// --- members of sets and masks

/** One dimension of a set member: a value, `from..to` or `*`. */
export type Bounds =
  | { readonly kind: 'value'; readonly value: Expression }
  | { readonly kind: 'range'; readonly from: Expression; readonly to: Expression }
  | { readonly kind: 'any' };

/** `exact`: /n; `longer`: /n+; `shorter`: /n-; `range`: /n{low,high}. */
export type PrefixForm =
  | { readonly kind: 'exact' | 'longer' | 'shorter' }
  | { readonly kind: 'range'; readonly low: number; readonly high: number };

export interface PrefixItem extends Node {
  readonly kind: 'prefix';
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly form: PrefixForm;
}
/** Many prefixes in a row. */
export interface PrefixesItem extends Node {
  readonly kind: 'prefixes';
  readonly patterns: PrefixPatterns;
}
/** A constant of any type, the name of one, or a term in parentheses. */
export interface ValueItem extends Node {
  readonly kind: 'value';
  readonly value: Expression;
}
/** `a..b`, each as in a ValueItem. */
export interface RangeItem extends Node {
  readonly kind: 'range';
  readonly from: Expression;
  readonly to: Expression;
}
/** `(1..5, *)` */
export interface PairItem extends Node {
  readonly kind: 'pair';
  readonly high: Bounds;
  readonly low: Bounds;
}
/** `(1, 2)..(3, 4)` or `(1, 2, 3)..(4, 5, 6)` */
export interface TupleRangeItem extends Node {
  readonly kind: 'tuples';
  readonly from: PairExpression | LcExpression;
  readonly to: PairExpression | LcExpression;
}
export interface EcItem extends Node {
  readonly kind: 'ec';
  readonly which: EcKind;
  readonly subtype?: Expression;
  readonly key: Bounds;
  readonly value: Bounds;
}
export interface LcItem extends Node {
  readonly kind: 'lc';
  readonly parts: readonly [Bounds, Bounds, Bounds];
}
export type SetItem =
  | PrefixItem
  | PrefixesItem
  | ValueItem
  | RangeItem
  | PairItem
  | TupleRangeItem
  | EcItem
  | LcItem;

/** `?`: one AS; `*`: any number; `+`: at least one; a value, range or set of ASes otherwise. */
export interface MaskItem extends Node {
  readonly kind: 'one' | 'any' | 'some' | 'value' | 'range' | 'set';
  readonly value?: Expression;
  readonly to?: Expression;
  readonly items?: readonly SetItem[];
}

// --- statements

export interface Block extends Node {
  readonly kind: 'block';
  readonly body: readonly Statement[];
}
export interface IfStatement extends Node {
  readonly kind: 'if';
  readonly condition: Expression;
  readonly consequent: Statement;
  readonly otherwise?: Statement;
}
export interface CaseArm extends Node {
  /** undefined: `else:` */
  readonly items?: readonly SetItem[];
  readonly body: readonly Statement[];
}
export interface CaseStatement extends Node {
  readonly kind: 'case';
  readonly subject: Expression;
  readonly arms: readonly CaseArm[];
}
export interface ForStatement extends Node {
  readonly kind: 'for';
  readonly type: PolicyType;
  readonly variable: Name;
  readonly subject: Expression;
  readonly body: Statement;
}
export interface VariableStatement extends Node {
  readonly kind: 'variable';
  readonly type: PolicyType;
  readonly variable: Name;
  readonly value?: Expression;
}
/** `target = value;` of a variable or an attribute. */
export interface AssignStatement extends Node {
  readonly kind: 'assign';
  readonly target: Name;
  readonly value: Expression;
}
export interface UnsetStatement extends Node {
  readonly kind: 'unset';
  readonly target: Name;
}
export interface ReturnStatement extends Node {
  readonly kind: 'return';
  readonly value: Expression;
}
/** `error` rejects with a complaint in the log. */
export type Verdict = 'accept' | 'reject' | 'error';
export interface VerdictStatement extends Node {
  readonly kind: 'verdict';
  readonly verdict: Verdict;
  /** Printed first. */
  readonly message: readonly Expression[];
}
export interface PrintStatement extends Node {
  readonly kind: 'print';
  /** false: printn, which leaves the line open. */
  readonly endsLine: boolean;
  readonly values: readonly Expression[];
}
/** A call, or a method that changes its object: `bgp_community.add((1,2));`. */
export interface CallStatement extends Node {
  readonly kind: 'do';
  readonly call: CallExpression | (MethodExpression & { readonly object: Name });
}
export type Statement =
  | Block
  | IfStatement
  | CaseStatement
  | ForStatement
  | VariableStatement
  | AssignStatement
  | UnsetStatement
  | ReturnStatement
  | VerdictStatement
  | PrintStatement
  | CallStatement;

// --- definitions

export interface Variable extends Node {
  readonly type: PolicyType;
  readonly name: Name;
}
export interface FunctionDefinition extends Node {
  readonly kind: 'function';
  readonly name: Name;
  readonly parameters: readonly Variable[];
  /** `-> type` */
  readonly returns?: PolicyType;
  /** Declared before the body. */
  readonly locals: readonly Variable[];
  readonly body: readonly Statement[];
}
export interface FilterDefinition extends Node {
  readonly kind: 'filter';
  /** undefined: written where it is used */
  readonly name?: Name;
  readonly locals: readonly Variable[];
  readonly body: readonly Statement[];
}
/** `define NAME = term;` */
export interface ConstantDefinition extends Node {
  readonly kind: 'define';
  readonly name: Name;
  readonly value: Expression;
}
/** `attribute TYPE NAME;`; `bgp`: the path attribute type it stands for. */
export interface AttributeDefinition extends Node {
  readonly kind: 'attribute';
  readonly name: Name;
  readonly type: PolicyType;
  readonly bgp?: number;
}
export type Definition = FunctionDefinition | FilterDefinition | ConstantDefinition | AttributeDefinition;

/** What stands after `import`, `export`, `show route`: which routes pass and how they change. */
export type FilterUse =
  | { readonly kind: 'all' | 'none'; readonly span: Span }
  | { readonly kind: 'named'; readonly name: Name; readonly span: Span }
  | { readonly kind: 'anonymous'; readonly filter: FilterDefinition; readonly span: Span }
  | { readonly kind: 'where'; readonly condition: Expression; readonly span: Span };
