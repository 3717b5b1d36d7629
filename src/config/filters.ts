// Filters in a native configuration: the texts under `definitions` and `filters`, and those that stand where they are
// used, compiled as the language of BIRD 2.x. Their mistakes are shown where they stand in the YAML, which works because
// a scalar's characters are the file's own but for quotes, indentation and line ends, none of which mean anything there.

import { nearest } from '../lib/suggest.ts';
import type { FilterDefinition, FilterUse, Statement } from '../policy/ast.ts';
import { Diagnostics } from '../policy/diagnostics.ts';
import { Filter } from '../policy/filter.ts';
import { type Token, tokenize } from '../policy/lexer.ts';
import { parseDefinitions, parseFilterText } from '../policy/parser.ts';
import { FilterPool, type PolicyHost, PolicyProgram } from '../policy/program.ts';
import { NO_TABLES } from '../policy/route-access.ts';
import { Source, type Span } from '../policy/source.ts';
import { compileTest, type PolicyTest, parseTestSteps } from '../policy/tests.ts';
import { SyntaxStop, TokenReader } from '../policy/token-reader.ts';
import type { IssueList } from './issues.ts';
import type { FamilyPolicy, Policy } from './model.ts';
import { type ConfigNode, formatPath, nodeAt, type Path, type ScalarNode } from './nodes.ts';
import { policyOf } from './policies.ts';
import { RPKI_TABLES } from './rpki.ts';
import type { PolicyInput } from './schema-policy.ts';
import type { RpkiAction } from './schema-rpki.ts';
import type { SourceText } from './source-text.ts';

/** What filters run with; the pool outlives configurations, so that an unchanged filter stays the same object. */
export interface PolicyContext {
  readonly host: PolicyHost;
  readonly pool: FilterPool;
}

/** For checking alone: no route is ever seen. */
const IDLE_HOST: PolicyHost = { tables: NO_TABLES, log: { print: () => undefined, error: () => undefined } };
const TRIVIAL = ['accept', 'reject'] as const;
/** What cannot be a name must be a text. */
const NAME = /^[\p{L}_][\p{L}\p{N}._:@-]*$/u;

export class FilterReader {
  readonly program: PolicyProgram;
  readonly #diagnostics = new Diagnostics();
  readonly #source: Source;
  readonly #root: ConfigNode;
  readonly #issues: IssueList;
  readonly #named = new Map<string, Filter | undefined>();
  /** Filters that stand where they are used, by path: a group's serves all its peers. */
  readonly #inline = new Map<string, Filter | undefined>();
  /** What they do, and what is done before. */
  readonly #bodies = new Map<Filter, Pick<FilterDefinition, 'locals' | 'body' | 'name'> & { span: Token }>();
  readonly #guarded = new Map<string, Filter | undefined>();

  constructor(text: SourceText, root: ConfigNode, issues: IssueList, context: PolicyContext | undefined) {
    const { host, pool } = context ?? { host: IDLE_HOST, pool: new FilterPool() };
    this.#source = new Source(text.file, text.text);
    this.#root = root;
    this.#issues = issues;
    this.program = new PolicyProgram('2.x', this.#diagnostics, host, pool);
  }

  /** Filters know the tables of caches from now on. */
  declareRpki(): void {
    declareRpkiTables(this.program);
  }

  /** Compiles what `definitions` and `filters` hold; call it once, first. */
  define(definitions: string | undefined, filters: Readonly<Record<string, string>>): void {
    if (definitions !== undefined) this.#addDefinitions(['definitions']);
    for (const name of Object.keys(filters)) {
      const path = ['filters', name];
      if (!NAME.test(name) || name === 'accept' || name === 'reject') {
        this.#issues.error(path, `${name} cannot be the name of a filter`, NAME_HINT, 'key');
      }
      this.#named.set(name, this.#compile(path, name));
    }
  }

  /** Compiles what `tests` holds, after the filters. */
  tests(names: readonly string[]): PolicyTest[] {
    return names.flatMap((name) => {
      const path = ['tests', name];
      const tokens = this.#tokens(path);
      const first = tokens?.[0];
      if (tokens === undefined || first === undefined) return [];
      let test: PolicyTest | undefined;
      try {
        const steps = parseTestSteps(new TokenReader(tokens, '2.x', this.#diagnostics));
        test = compileTest(this.program, { name, span: first, steps }, (filter) => this.#tested(filter));
      } catch (stop) {
        if (!(stop instanceof SyntaxStop)) throw stop;
      }
      return this.#report(path) || test === undefined ? [] : [test];
    });
  }

  #tested(name: string): Filter | undefined {
    if (!this.#named.has(name)) return this.program.filter(name);
    const filter = this.#named.get(name);
    if (filter === undefined) throw new SyntaxStop(`the mistake of filter ${name} is reported`);
    return filter;
  }

  /**
   * What stands at `path`: accept, reject, a filter's name or its text, or one for each family. `rpki`: what is done
   * to routes before that.
   */
  policy(input: PolicyInput, path: Path, rpki?: RpkiAction): Policy {
    if (typeof input === 'string') return this.#one(input, path, rpki);
    const { ipv4 = 'reject', ipv6 = 'reject' } = input;
    return policyOf(this.#one(ipv4, [...path, 'ipv4'], rpki), this.#one(ipv6, [...path, 'ipv6'], rpki));
  }

  #one(input: string, path: Path, rpki: RpkiAction | undefined): FamilyPolicy {
    const policy = this.#plain(input, path);
    if (rpki === undefined || policy === 'reject') return policy;
    const key = `${rpki} ${typeof policy === 'string' ? policy : policy.key}`;
    if (!this.#guarded.has(key)) this.#guarded.set(key, this.#guard(policy, path, rpki));
    return this.#guarded.get(key) ?? 'reject';
  }

  /** The policy after what is done to routes by their origin. */
  #guard(policy: FamilyPolicy, path: Path, rpki: RpkiAction): Filter | undefined {
    const own = policy instanceof Filter ? this.#bodies.get(policy) : undefined;
    if (policy instanceof Filter && own === undefined) {
      const hint = 'put it under filters, or ask roa_check(rpki) in it';
      this.#issues.error(path, 'rpki needs a filter that stands in the configuration itself', hint);
      return undefined;
    }
    const source = new Source(`rpki: ${rpki}`, `${RPKI_ACTIONS[rpki]}${own === undefined ? ' accept;' : ''}`);
    const tokens = tokenize(source, '2.x', this.#diagnostics);
    const { body } = parseFilterText(new TokenReader(tokens, '2.x', this.#diagnostics));
    return this.#use(
      own?.name?.name,
      own?.locals ?? [],
      [...body, ...(own?.body ?? [])],
      own?.span ?? tokens[0]!,
    );
  }

  #plain(input: string, path: Path): FamilyPolicy {
    if (input === 'accept' || input === 'reject') return input;
    const filter = NAME.test(input) ? this.#find(input, path) : this.#here(path);
    // Its mistake is reported: nothing runs.
    return filter === undefined ? 'reject' : (filter.trivial ?? filter);
  }

  #find(name: string, path: Path): Filter | undefined {
    if (this.#named.has(name)) return this.#named.get(name);
    const defined = this.program.filter(name);
    if (defined !== undefined) return defined;
    const names = [...TRIVIAL, ...this.#named.keys(), ...this.program.filterNames];
    const near = nearest(name, names);
    const hint =
      near === undefined
        ? `expected ${names.join(', ')}, or a filter's text, which has a ;`
        : `did you mean ${near}?`;
    this.#issues.error(path, `there is no filter ${name}`, hint);
    return undefined;
  }

  #here(path: Path): Filter | undefined {
    const key = JSON.stringify(path);
    if (!this.#inline.has(key)) this.#inline.set(key, this.#compile(path, undefined));
    return this.#inline.get(key);
  }

  #addDefinitions(path: Path): void {
    const tokens = this.#tokens(path);
    if (tokens === undefined) return;
    for (const definition of parseDefinitions(new TokenReader(tokens, '2.x', this.#diagnostics))) {
      this.program.add(definition);
    }
    this.#report(path);
  }

  #compile(path: Path, name: string | undefined): Filter | undefined {
    const tokens = this.#tokens(path);
    const start = tokens?.[0];
    if (tokens === undefined || start === undefined) return undefined;
    let filter: Filter | undefined;
    try {
      const { locals, body } = parseFilterText(new TokenReader(tokens, '2.x', this.#diagnostics));
      filter = this.#use(name, locals, body, start);
    } catch (stop) {
      if (!(stop instanceof SyntaxStop)) throw stop;
    }
    return this.#report(path) ? undefined : filter;
  }

  #use(
    name: string | undefined,
    locals: FilterDefinition['locals'],
    body: readonly Statement[],
    span: Token,
  ): Filter | undefined {
    const plain = { kind: 'filter', locals, body, span } as const;
    const filter: FilterDefinition =
      name === undefined ? plain : { ...plain, name: { kind: 'name', name, quoted: true, span } };
    const use: FilterUse = { kind: 'anonymous', filter, span };
    const compiled = this.program.use(use);
    if (compiled !== undefined) this.#bodies.set(compiled, { ...filter, span });
    return compiled;
  }

  /** The text's tokens at their places in the file. */
  #tokens(path: Path): Token[] | undefined {
    const node = nodeAt(this.#root, path);
    if (node?.kind !== 'scalar' || node.value === undefined) return undefined;
    const { text, shift } = policyText(this.#source.text, node);
    if (shift === undefined) {
      const line = this.#source.position(node.span.start).line;
      const inner = new Source(`${this.#source.name}:${line} ${formatPath(path)}`, text);
      return tokenize(inner, '2.x', this.#diagnostics);
    }
    const found = new Diagnostics();
    const placed = ({ start, end }: Span): Span => {
      return { source: this.#source, start: start + shift, end: end + shift };
    };
    const tokens = tokenize(new Source(this.#source.name, text), '2.x', found);
    for (const { span, message, hint } of found.list) this.#diagnostics.error(placed(span), message, hint);
    return tokens.map((token) => ({ ...token, ...placed(token) }));
  }

  /** Moves what was found over to the issues; returns whether there were errors. */
  #report(path: Path): boolean {
    const { list, hasErrors } = this.#diagnostics;
    const whole = nodeAt(this.#root, path)?.span ?? { start: 0, end: 0 };
    for (const { severity, span, message, hint } of list) {
      const at = span.source === this.#source ? span : whole;
      if (severity === 'error') this.#issues.errorAt(at, path, message, hint);
      else this.#issues.warningAt(at, path, message, hint);
    }
    this.#diagnostics.clear();
    return hasErrors;
  }
}

/** RFC 8097 §2: the state in the last octet of an extended community that does not leave the AS. */
const STATE_COMMUNITY = 'generic, 0x43000000';
const RPKI_ACTIONS: Readonly<Record<RpkiAction, string>> = {
  'reject-invalid': `if roa_check(${RPKI_TABLES.roa}) = ROA_INVALID then reject;`,
  tag: `bgp_ext_community.delete([(${STATE_COMMUNITY}, *)]);
    case roa_check(${RPKI_TABLES.roa}) {
      ROA_VALID: bgp_ext_community.add((${STATE_COMMUNITY}, 0));
      ROA_UNKNOWN: bgp_ext_community.add((${STATE_COMMUNITY}, 1));
      ROA_INVALID: bgp_ext_community.add((${STATE_COMMUNITY}, 2));
    }`,
};

/** The names under which native filters ask what caches say. */
export function declareRpkiTables(program: PolicyProgram): void {
  const span = { source: new Source('rpki', ''), start: 0, end: 0 };
  for (const [of, name] of Object.entries(RPKI_TABLES)) {
    program.declare({ kind: 'name', name, quoted: false, span }, { kind: 'table', of });
  }
}

const NAME_HINT = 'letters, digits and . _ : @ -, beginning with a letter; accept and reject are taken';

/** The text to read and where it stands in the file; with lines of its own where the file spells it otherwise. */
function policyText(file: string, node: ScalarNode): { text: string; shift: number | undefined } {
  const { start, end } = node.span;
  const written = file.slice(start, end);
  if (node.expanded) return { text: node.text, shift: undefined };
  const first = written[0];
  if (first === '|' || first === '>') {
    const headEnd = written.indexOf('\n') + 1;
    return { text: written.slice(headEnd), shift: start + headEnd };
  }
  if (first !== '"' && first !== "'") return { text: written, shift: start };
  const inside = written.slice(1, -1);
  const plain = first === '"' ? !inside.includes('\\') : !inside.includes("''");
  return plain ? { text: inside, shift: start + 1 } : { text: node.text, shift: undefined };
}
