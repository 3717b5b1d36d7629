// Names and what they stand for: constants, functions, filters, custom attributes and tables of a configuration, and
// the variables of the function being read. Names of the language itself cannot be taken.

import type { Name, PolicyType } from './ast.ts';
import { ROUTE_ATTRIBUTES, type RouteAttribute, routeAttribute } from './attributes.ts';
import type { Diagnostics } from './diagnostics.ts';
import { ENUM_CONSTANTS, enumConstant } from './enums.ts';
import type { Facts } from './facts.ts';
import type { Dialect } from './lexer.ts';
import type { Execute } from './run.ts';
import { typeOf, type Value } from './values.ts';

export interface ConstantSymbol {
  readonly kind: 'constant';
  readonly value: Value;
  readonly type: PolicyType;
  /** Its text and that of all it uses; undefined for the language's own. */
  readonly key?: string;
}
export interface FunctionSymbol {
  readonly kind: 'function';
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: PolicyType }[];
  readonly returns: PolicyType;
  /** Set when the body is compiled; the symbol is there before, for calls of itself. */
  slots: number;
  execute: Execute;
  traced: Execute;
  readonly facts: Facts;
  /** Its text and that of all it uses. */
  key: string;
}
export interface AttributeSymbol {
  readonly kind: 'attribute';
  readonly attribute: RouteAttribute;
}
export interface VariableSymbol {
  readonly kind: 'variable';
  readonly slot: number;
  readonly type: PolicyType;
}
export interface TableSymbol {
  readonly kind: 'table';
  /** `roa4`, `ipv6`, `aspa`, ...: what its routes are */
  readonly of: string;
}
/** Something else that has a name: a filter, a protocol, a template. */
export interface OtherSymbol {
  readonly kind: 'other';
  readonly what: string;
}
export type ProgramSymbol = ConstantSymbol | FunctionSymbol | AttributeSymbol | TableSymbol | OtherSymbol;
export type PolicySymbol = ProgramSymbol | VariableSymbol;

/** The names of one configuration. */
export class Symbols {
  readonly dialect: Dialect;
  readonly #diagnostics: Diagnostics;
  readonly #byName = new Map<string, ProgramSymbol>();

  constructor(dialect: Dialect, diagnostics: Diagnostics) {
    this.dialect = dialect;
    this.#diagnostics = diagnostics;
  }

  /** Reports a name that is taken; the newer meaning holds then, so that its uses are understood. */
  define(name: Name, symbol: ProgramSymbol): void {
    if (this.isTaken(name)) return;
    if (this.#byName.has(name.name)) this.#diagnostics.error(name.span, `'${name.name}' is already defined`);
    this.#byName.set(name.name, symbol);
  }

  /** Whether the language has the name itself, which is reported. */
  isTaken(name: Name): boolean {
    const escaped = name.quoted && this.dialect === '2.x';
    if (escaped || this.builtin(name.name) === undefined) return false;
    this.#diagnostics.error(name.span, `'${name.name}' is a name of the language`);
    return true;
  }

  /** What configurations defined under this name. */
  get(name: string): ProgramSymbol | undefined {
    return this.#byName.get(name);
  }

  /** Names that the language itself has. */
  builtin(name: string): PolicySymbol | undefined {
    const attribute = routeAttribute(name, this.dialect);
    if (attribute !== undefined) return { kind: 'attribute', attribute };
    const value = enumConstant(name, this.dialect);
    return value === undefined ? undefined : { kind: 'constant', value, type: typeOf(value) };
  }

  /** All names, for what was probably meant. */
  *names(): Generator<string> {
    yield* this.#byName.keys();
    for (const { name } of ROUTE_ATTRIBUTES) if (routeAttribute(name, this.dialect) !== undefined) yield name;
    for (const name of ENUM_CONSTANTS) if (enumConstant(name, this.dialect) !== undefined) yield name;
  }
}

/** The variables of one function or filter: blocks inside blocks, each with slots of its own. */
export class Locals {
  readonly #blocks: Map<string, VariableSymbol>[] = [new Map()];
  /** Slots needed at most. */
  count = 0;

  get(name: string): VariableSymbol | undefined {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const found = this.#blocks[i]!.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** undefined where the block, or the function for its outermost one, has the name already. */
  declare(name: string, type: PolicyType): VariableSymbol | undefined {
    const block = this.#blocks.at(-1)!;
    if (block.has(name)) return undefined;
    const variable: VariableSymbol = { kind: 'variable', slot: this.count++, type };
    block.set(name, variable);
    return variable;
  }

  push(): void {
    this.#blocks.push(new Map());
  }

  pop(): void {
    this.#blocks.pop();
  }

  *names(): Generator<string> {
    for (const block of this.#blocks) yield* block.keys();
  }
}
