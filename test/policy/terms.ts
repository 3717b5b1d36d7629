// Random terms of the filter language, sensible and not, for comparing two evaluators.

import type { Dialect } from '../../src/policy/lexer.ts';

/** A generator of numbers that is the same on every run (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Make = () => string;

export function termMaker(seed: number, dialect: Dialect): Make {
  const random = randomFrom(seed);
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const one = (makes: readonly Make[]): string => pick(makes)();
  const some = (most: number, make: Make, glue = ', '): string =>
    Array.from({ length: 1 + random(most) }, make).join(glue);
  const number: Make = () => pick(['0', '1', '2', '3', '7', '100', '65535', '65536', '70000', '4294967295']);
  const small: Make = () => pick(['0', '1', '2', '3', '5', '7']);
  const range: Make = () => `${small()}..${small()}`;
  const ip: Make = () => pick(['10.0.0.1', '1.2.3.4', '0.0.0.0', '255.255.255.255', '192.168.1.1']);
  const prefix: Make = () =>
    pick([
      '10.0.0.0/8',
      '10.0.0.0/16',
      '0.0.0.0/0',
      '192.168.0.0/16',
      '10.1.0.0/24',
      '1.2.3.4/32',
      '128.0.0.0/1',
    ]);
  const pattern: Make = () => {
    const base = prefix();
    const length = Number(base.split('/')[1]);
    const longer = Math.min(32, length + random(20));
    return (
      base + pick(['', '+', '-', `{${length},${longer}}`, `{${random(length + 1)},${length}}`, '{0,32}'])
    );
  };
  const pair: Make = () => `(${small()},${small()})`;
  const ec: Make = () =>
    `(${pick(['rt', 'ro', 'generic', 'unknown 0x4300'])}, ${one([small, ip, () => '70000'])}, ${small()})`;
  const lc: Make = () => `(${small()}, ${small()}, ${small()})`;
  const constant: Make = () =>
    pick(['RTS_BGP', 'RTS_STATIC', 'ORIGIN_IGP', 'ORIGIN_EGP', 'RTD_BLACKHOLE', 'SCOPE_LINK', 'ROA_VALID']);
  const text: Make = () => `"${pick(['', 'a', 'abc', 'abcd', 'a*', '?bc', '*c*', 'b', 'a?c', '*'])}"`;
  const path = (depth = 2): string =>
    depth === 0 || random(5) === 0
      ? '+empty+'
      : `prepend(${path(depth - 1)}, ${random(10) === 0 ? term(0) : small()})`;
  const communities = (depth = 2): string =>
    depth === 0 || random(5) === 0
      ? '-empty-'
      : `${pick(['add', 'add', 'delete'])}(${communities(depth - 1)}, ${one([pair, () => communities(0), () => communities(1)])})`;
  const extended = (depth = 2): string =>
    depth === 0 ? '--empty--' : `add(${extended(depth - 1)}, ${ec()})`;
  const large = (depth = 2): string => (depth === 0 ? '---empty---' : `add(${large(depth - 1)}, ${lc()})`);
  const ints: Make = () => `[${some(4, () => one([small, range]))}]`;
  const pairMember: Make = () =>
    one([
      pair,
      pair,
      () => `(${small()},*)`,
      () => `(${small()}..${number()},${small()})`,
      () => `${pair()}..${pair()}`,
    ]);
  const pairs: Make = () => `[${some(3, pairMember)}]`;
  const ecs: Make = () =>
    `[${some(2, () => one([() => `(rt, ${small()}, ${small()})`, () => `(rt, ${small()}, *)`, () => `(ro, ${small()}, ${range()})`]))}]`;
  const lcs: Make = () =>
    `[${some(2, () => one([lc, () => `(${small()}, ${small()}, *)`, () => `(${small()}, *, *)`, () => `(${small()}, ${small()}, ${range()})`]))}]`;
  const prefixes: Make = () => `[${some(5, pattern)}]`;
  const mask: Make = () => `[= ${some(4, () => one([small, small, () => '*', () => '?', range]), ' ')} =]`;
  const sources: Make = () =>
    `[${pick(['RTS_BGP', 'RTS_PIPE'])},${pick(['RTS_STATIC', 'RTS_RIP..RTS_BGP'])}]`;
  const addresses: Make = () => `[${some(3, () => one([ip, ip, () => `10.0.0.0..${ip()}`]))}]`;
  const distinguisher: Make = () => `${small()}:${small()}`;
  const net: Make = () =>
    one([
      prefix,
      () => `${distinguisher()} ${prefix()}`,
      () => `${prefix().replace(/32$/, '24').replace('.4/', '.0/')} max 3${random(3)} as ${small()}`,
      () => `2001:db8::/4${small()} from 2001:db8::/${pick(['32', '40'])}`,
      () => `mpls ${small()}`,
      () => `${pick(['flow4', 'flow6'])} { port ${small()}; }`,
      () => `flow4 { dst ${prefix()}; }`,
    ]);
  // What only 2.x has a word for.
  const parts = (depth: number): string =>
    one([
      () => `${one([pair, () => `${communities()}.${pick(['min', 'max'])}`])}.${pick(['asn', 'data'])}`,
      () => `${one([lc, () => `${large()}.${pick(['min', 'max'])}`])}.${pick(['asn', 'data1', 'data2'])}`,
      () => `${one([communities, extended, large, path])}.${pick(['min', 'max'])}`,
      () => `${one([prefix, prefix, () => term(depth)])}.type`,
      () => `${one([ip, ip, () => term(0)])}.is_v4`,
      () => `${one([prefix, () => term(0)])}.${pick(['maxlen', 'src', 'dst', 'rd', 'asn'])}`,
      () => `${distinguisher()} ${order()} ${distinguisher()}`,
      () => `(${net()}).${pick(['maxlen', 'src', 'dst', 'rd', 'asn', 'len', 'ip', 'type'])}`,
      () => `${net()} ${pick(['~', order()])} ${net()}`,
      () => `${net()} ~ ${prefixes()}`,
      () => `${ip()} ~ ${net()}`,
      () => `${distinguisher()} ~ [${distinguisher()}, ${distinguisher()}..${distinguisher()}]`,
      () => `${one([path, communities, int.bind(undefined, 0)])} ${pick(['~', '!~'])} [ ]`,
      () => `${path()} ~ [= ${some(3, () => one([small, () => '+', () => '*', ints]), ' ')} =]`,
      () => `2001:db8::${small()} ${order()} 2001:db8::${small()}`,
      () => `2001:db8::/4${small()} ~ [ 2001:db8::/${pick(['32', '40'])}{40,4${small()}} ]`,
      () => `2001:db8::${small()}.mask(${number()})`,
    ]);
  const order: Make = () => pick(['<', '>', '<=', '>=', '=', '!=']);
  const bool = (depth: number): string => {
    if (depth <= 0) return pick(['true', 'false']);
    const operand = pick([pair, lc, ec, ip, prefix, constant, number]);
    return one([
      () => `(${bool(depth - 1)}) ${pick(['&&', '||'])} (${bool(depth - 1)})`,
      () => `! (${bool(depth - 1)})`,
      () => `${bool(depth - 2)} ${pick(['&&', '||'])} ${bool(0)} ${pick(['&&', '||'])} ${bool(0)}`,
      () => `${term(1)} ${pick(['=', '!='])} ${term(1)}`,
      () => `${int(depth - 1)} ${order()} ${int(depth - 1)}`,
      () => `${operand()} ${order()} ${operand()}`,
      () => `${path()} ${pick(['~', '!~'])} ${one([mask, ints])}`,
      () => `${small()} ~ ${one([ints, path])}`,
      () => `${one([pair, communities])} ~ ${pairs()}`,
      () => `${pair()} ~ ${communities()}`,
      () => `${one([ec, extended])} ~ ${ecs()}`,
      () => `${ec()} ~ ${extended()}`,
      () => `${one([lc, large])} ~ ${lcs()}`,
      () => `${one([ip, prefix])} ~ ${prefix()}`,
      () => `${prefix()} ~ ${prefixes()}`,
      () => `${text()} ~ ${text()}`,
      () => `${pick(['RTS_BGP', 'RTS_STATIC'])} ~ ${sources()}`,
      () => `${ip()} ${pick(['~', '!~'])} ${addresses()}`,
      () => `${constant()} ${order()} ${constant()}`,
      () => `${text()} ${pick(['=', '!='])} ${text()}`,
      () =>
        `${one([ints, pairs, lcs, prefixes, addresses])} ${pick(['=', '!='])} ${one([ints, pairs, lcs, prefixes])}`,
      () => `${mask()} = ${mask()}`,
      () =>
        `${one([path, communities, extended, large])} ${pick(['=', '!='])} ${one([path, communities, extended, large])}`,
      () => `${term(1)} ${pick(['~', '<', '&&'])} ${term(1)}`,
      () => `defined(${term(1)})`,
    ]);
  };
  const int = (depth: number): string =>
    depth <= 0
      ? number()
      : one([
          () => `(${int(depth - 1)} ${pick(['+', '-', '*', '/'])} ${int(depth - 1)})`,
          () =>
            `${number()} ${pick(['+', '-', '*', '/'])} ${number()} ${pick(['+', '-', '*', '/'])} ${number()}`,
          () => `${path()}.${pick(['len', 'first', 'last', 'last_nonaggregated'])}`,
          () => `${communities()}.len`,
          () => `${prefix()}.len`,
          number,
        ]);
  const term = (depth: number): string =>
    depth <= 0
      ? one([number, ip, prefix, pair, ec, lc, constant, () => 'true'])
      : one([
          () => int(depth),
          () => bool(depth),
          path,
          communities,
          extended,
          large,
          ints,
          pairs,
          mask,
          () => term(0),
          () => `${ip()}.mask(${pick(['0', '8', '16', '24', '31', '32', '33', '40'])})`,
          () => `${prefix()}.ip`,
          () => `${pick(['delete', 'filter'])}(${communities()}, ${one([pairs, pair, communities])})`,
          () => `${pick(['delete', 'filter'])}(${path(3)}, ${one([ints, small])})`,
          () => `${pick(['delete', 'filter', 'add'])}(${extended()}, ${one([ecs, ec])})`,
          () => `${pick(['delete', 'filter', 'add'])}(${large()}, ${one([lcs, lc])})`,
          () => `${pick(['delete', 'filter', 'add', 'prepend'])}(${term(0)}, ${term(0)})`,
          () => `${term(0)}${pick(['.len', '.ip', '.first'])}`,
          () => (dialect === '2.x' ? parts(depth - 1) : `${term(0)}.last_nonaggregated`),
          () => (dialect === '2.x' ? parts(depth - 1) : `${ip()} ~ ${addresses()}`),
        ]);
  return () => one([() => term(2), () => bool(2), () => bool(3)]);
}
