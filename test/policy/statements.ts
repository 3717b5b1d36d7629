// Random routes and random filters over them, for comparing what two speakers make of one and the other.

import type { AttributeValues } from '../../src/bgp/wire/attribute-values.ts';
import type { Dialect } from '../../src/policy/lexer.ts';
import { randomFrom } from './terms.ts';

export interface GeneratedRoute {
  readonly prefix: string;
  readonly attributes: Partial<AttributeValues>;
}

export interface Generator {
  /** Statements that end with a verdict, mostly. */
  body(direction: 'import' | 'export'): string;
  route(prefix: string): GeneratedRoute;
}

export function generator(seed: number, dialect: Dialect): Generator {
  const random = randomFrom(seed);
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const chance = (percent: number): boolean => random(100) < percent;
  const one = (makes: readonly (() => string)[]): string => pick(makes)();
  const several = (most: number, make: () => string, glue: string): string =>
    Array.from({ length: 1 + random(most) }, make).join(glue);
  const two = dialect === '2.x';

  const number = () => pick(['0', '1', '5', '10', '77', '100', '200', '4294967295']);
  const asn = () => pick(['64999', '65010', '65011', '65020', '4200000000']);
  const pair = () => `(${pick(['65001', '65010', '7'])},${pick(['1', '2', '3'])})`;
  const large = () => `(${pick(['65001', '4200000000'])}, ${pick(['1', '2'])}, ${pick(['7', '8'])})`;
  const target = () => `(rt, ${pick(['65001', '7'])}, ${pick(['1', '2'])})`;
  const pairs = () =>
    `[${several(2, () => one([pair, () => `(${pick(['65001', '7'])},*)`, () => `(7,1..2)`]), ', ')}]`;

  const numeric = () => pick(['bgp_med', 'bgp_local_pref', 'bgp_path.len', 'net.len', 'preference']);
  const condition = (depth: number): string =>
    one([
      () => `bgp_path ~ [= ${several(3, () => one([asn, () => '*', () => '?']), ' ')} =]`,
      () => `bgp_path ~ [= * ${asn()} * =]`,
      () => `${pair()} ~ bgp_community`,
      () => `bgp_community ~ ${pairs()}`,
      () => `${large()} ~ bgp_large_community`,
      () => `${target()} ~ bgp_ext_community`,
      () => `${numeric()} ${pick(['<', '>', '=', '!=', '<=', '>='])} ${number()}`,
      () => `defined(${pick(['bgp_med', 'bgp_local_pref', 'bgp_community', 'bgp_large_community'])})`,
      () => `bgp_origin = ${pick(['ORIGIN_IGP', 'ORIGIN_EGP', 'ORIGIN_INCOMPLETE'])}`,
      () => `net ~ [ 10.0.0.0/8{24,${pick(['24', '25'])}} ]`,
      () => `bgp_path.${pick(['first', 'last'])} = ${asn()}`,
      () => `bgp_next_hop = 10.9.9.${pick(['1', '2'])}`,
      () => `source = ${pick(['RTS_BGP', 'RTS_STATIC'])}`,
      () => `bgp_community.len > ${pick(['0', '1'])}`,
      () =>
        depth > 0 ? `(${condition(depth - 1)}) ${pick(['&&', '||'])} (${condition(depth - 1)})` : 'true',
      () => (depth > 0 ? `! (${condition(depth - 1)})` : 'false'),
    ]);

  const change = (direction: 'import' | 'export'): string =>
    one([
      () => `bgp_local_pref = ${number()};`,
      () => `bgp_med = ${number()};`,
      () => 'bgp_med = bgp_local_pref + 1;',
      // In 1.6 an import filter unsets nothing, which nobody can have meant.
      () => (two || direction === 'export' ? 'unset(bgp_med);' : ''),
      () => `bgp_origin = ${pick(['ORIGIN_IGP', 'ORIGIN_EGP', 'ORIGIN_INCOMPLETE'])};`,
      () => `bgp_path.prepend(${asn()});`,
      () => `bgp_path.${pick(['delete', 'filter'])}(${two ? `[${asn()}, ${asn()}]` : asn()});`,
      () => `bgp_community.add(${pair()});`,
      () => `bgp_community.${pick(['delete', 'filter'])}(${one([pair, pairs])});`,
      () => 'bgp_community = -empty-;',
      () => `bgp_large_community.${pick(['add', 'delete'])}(${large()});`,
      () => `bgp_large_community.filter([${large()}, (65001, *, *)]);`,
      () => `bgp_ext_community.${pick(['add', 'delete'])}(${target()});`,
      () => (two ? `unset(${pick(['bgp_large_community', 'bgp_ext_community'])});` : ''),
      () => (direction === 'export' ? `bgp_next_hop = 10.8.8.${pick(['1', '2'])};` : ''),
      () => (direction === 'import' ? `preference = ${pick(['50', '100', '150'])};` : ''),
    ]);
  const statement = (direction: 'import' | 'export', depth: number): string =>
    depth > 0 && chance(40)
      ? `if ${condition(1)} then { ${several(2, () => statement(direction, depth - 1), ' ')} } ${
          chance(40) ? `else { ${statement(direction, depth - 1)} }` : ''
        }`
      : chance(8)
        ? pick(['accept;', 'reject;'])
        : change(direction);

  return {
    body: (direction) =>
      `${several(4, () => statement(direction, 2), ' ')} ${chance(85) ? 'accept;' : 'reject;'}`,
    route: (prefix) => ({
      prefix,
      attributes: {
        origin: pick(['IGP', 'EGP', 'INCOMPLETE']),
        asPath: ['65001', ...Array.from({ length: random(4) }, asn)].join(' '),
        ...(chance(60) && { med: Number(number()) }),
        ...(chance(60) && { communities: texts(1 + random(3), () => bare(pair())) }),
        ...(chance(40) && { largeCommunities: texts(1 + random(2), () => bare(large())) }),
        ...(chance(30) && { extendedCommunities: texts(1 + random(2), () => bare(target())) }),
      },
    }),
  };
}

/** Without repetition: speakers differ in what they do with it. */
function texts(count: number, make: () => string): string[] {
  return [...new Set(Array.from({ length: count }, make))];
}

/** `(rt, 7, 1)` -> `rt:7:1` */
function bare(member: string): string {
  return member.slice(1, -1).replaceAll(/, ?/g, ':');
}
