// The table of BIRD.md that says what is read and has no effect: made from the warnings that the code gives of every
// statement it can read, and from the attributes that go nowhere. Where it differs from the file, run this test with
// GODWIT_UPDATE_DOCS=1.

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BGP_CHANNEL_OPTIONS, CHANNEL_OPTIONS } from '../../../src/config/bird/channels.ts';
import { GLOBAL_OPTIONS } from '../../../src/config/bird/globals.ts';
import { loadBird } from '../../../src/config/bird/load.ts';
import { COMMON_OPTIONS, KINDS, SKIPPED_KINDS } from '../../../src/config/bird/protocol-kinds.ts';
import { UNWRITTEN_ATTRIBUTES } from '../../../src/config/bird/to-model-kernel.ts';
import { ROUTE_ATTRIBUTES } from '../../../src/policy/attributes.ts';
import type { Dialect } from '../../../src/policy/lexer.ts';
import { HOST } from '../support.ts';
import { filesOf, MAIN_FILE } from './support.ts';

const DOCUMENT = new URL('../../../BIRD.md', import.meta.url).pathname;
const BEGIN = '<!-- what has no effect: begin -->';
const END = '<!-- what has no effect: end -->';
const DIALECTS: readonly Dialect[] = ['1.6', '2.x'];

/** What may follow the words of a statement: the first one that can be read is taken. */
const VALUES = [
  'on',
  '5',
  '10.0.0.9',
  '"text"',
  'all',
  '{ states }',
  '',
  '100 action block',
  'self',
  'master',
  'master4',
  '64600',
  '5,30',
  'tcp',
  'keep 5',
  '192.0.2.0/24 blackhole',
  '"eth0"',
  '"eth0" { interval 100 ms; }',
  '{ interval 100 ms; }',
  'ipv4 direct',
  '"/var/run/x" all',
  'address 10.0.0.9',
  'iso long',
  'customer',
  'none',
  'md5',
  'native',
  'global',
  'ip 10.0.0.9 port 5',
  'as 64600',
  '2',
  '255',
  '{ cease }',
  'transparent',
  'route iso long',
  'in post_policy',
  'base table master4',
  '{ key { id 1; secret "x"; }; }',
  'table master4',
  '10.0.0.9 port 323',
  '700',
  '5 s',
  'off',
  '10.0.0.9 as 64501',
  '{ accept; }',
  'true',
  'recursive',
  '1 s 5 s',
];

/** Statements that need others beside them, or stand where a block says the same already: they do what they say. */
const BESIDE_OTHERS: Readonly<Record<string, string>> = {
  'channel of bgp: base table': 'of flow channels, which are not served',
  'channel of bgp: validate': 'of flow channels, which are not served',
  'bgp: confederation member': 'works',
  'bgp: neighbor': 'works',
  'bgp: interface range': 'on ranges that are not link-local',
  'bgp: bfd': 'works',
  'bgp: keys': 'works',
  'pipe: peer table': 'works',
  'mrt: where': 'works',
  'rpki: remote': 'works',
};

interface Place {
  readonly name: string;
  readonly phrases: (dialect: Dialect) => readonly string[];
  readonly text: (statement: string, dialect: Dialect) => string;
}

const ALWAYS = 'router id 192.0.2.1;\nprotocol device d { }\n';

/** A protocol block that is good with one more statement. */
function block(kind: string, statement: string, dialect: Dialect): string {
  switch (kind) {
    case 'bgp': {
      const channel = dialect === '1.6' ? '' : ' ipv4 { import all; export all; };';
      const asn = statement.startsWith('rr ') ? 64500 : 64501;
      return `${ALWAYS}protocol bgp p { local 192.0.2.1 as 64500; neighbor 10.0.0.2 as ${asn};${channel} ${statement} }`;
    }
    case 'device':
      return `router id 192.0.2.1;\nprotocol device p { ${statement} }`;
    case 'pipe':
      return `${ALWAYS}${dialect === '1.6' ? 'table t' : 'ipv4 table t'};\nprotocol pipe p { ${dialect === '1.6' ? '' : 'table master4;'} peer table t; ${statement} }`;
    case 'mrt':
      return `${ALWAYS}protocol mrt p { table "*"; filename "f"; period 60; ${statement} }`;
    case 'bmp':
      return `${ALWAYS}protocol bmp p { station address ip 10.0.0.9 port 5000; ${statement} }`;
    case 'rpki':
      return `${ALWAYS}roa4 table r4;\nprotocol rpki p { roa4 { table r4; }; remote 10.0.0.9; ${statement} }`;
    default: {
      const channel = dialect === '2.x' && ['kernel', 'direct', 'static'].includes(kind) ? 'ipv4;' : '';
      return `${ALWAYS}protocol ${kind} p { ${channel} ${statement} }`;
    }
  }
}

function doesNotRun(kind: string): boolean {
  return warningsOf(block(kind, '', '2.x'), '2.x')?.includes(`protocol ${kind} has no effect (p)`) === true;
}

const PLACES: readonly Place[] = [
  {
    name: 'top level',
    phrases: (dialect) => GLOBAL_OPTIONS.phrases(dialect),
    text: (statement) => `${ALWAYS}${statement}\n`,
  },
  {
    name: 'any protocol',
    phrases: (dialect) => COMMON_OPTIONS.phrases(dialect),
    text: (statement, dialect) => block('bgp', statement, dialect),
  },
  {
    name: 'channel of bgp',
    phrases: (dialect) => [
      ...new Set([...CHANNEL_OPTIONS.phrases(dialect), ...BGP_CHANNEL_OPTIONS.phrases(dialect)]),
    ],
    text: (statement, dialect) =>
      dialect === '1.6'
        ? block('bgp', statement, dialect)
        : `${ALWAYS}protocol bgp p { local as 64500; neighbor 10.0.0.2 as 64501; ipv4 { import all; export all; ${statement} }; }`,
  },
  ...Object.entries(KINDS).map(([kind, row]): Place => {
    // What does not run at all is said once.
    if (doesNotRun(kind)) return { name: kind, phrases: () => [], text: () => '' };
    return {
      name: kind,
      phrases: (dialect) =>
        row.only !== undefined && row.only !== dialect ? [] : row.options.phrases(dialect),
      text: (statement, dialect) => block(kind, statement, dialect),
    };
  }),
];

/** The warnings of a good text; undefined where it is none. */
function warningsOf(text: string, dialect: Dialect): readonly string[] | undefined {
  const result = loadBird(text, MAIN_FILE, filesOf({}), HOST, { dialect });
  return result.ok ? result.warnings.map(({ message }) => message) : undefined;
}

/** `none`: it has no effect, or what of it has none; undefined where it has all. */
function effectOf(place: Place, phrase: string, dialect: Dialect): string | undefined {
  const beside = BESIDE_OTHERS[`${place.name}: ${phrase}`];
  if (beside !== undefined) return beside === 'works' ? undefined : beside;
  const before = new Set(warningsOf(place.text('', dialect), dialect) ?? []);
  for (const value of VALUES) {
    const warnings = warningsOf(place.text(`${phrase} ${value};`, dialect), dialect);
    if (warnings === undefined) continue;
    const news = warnings.filter((each) => !before.has(each));
    return news.length === 0 ? undefined : news.map((each) => each.replace(/ \([^()]*\)$/, '')).join('; ');
  }
  throw new Error(`no value is known for ${dialect} ${place.name}: ${phrase}; add one to VALUES`);
}

function statementRows(): string[] {
  const rows: string[] = [];
  for (const place of PLACES) {
    const phrases = [...new Set(DIALECTS.flatMap((dialect) => place.phrases(dialect)))].sort();
    for (const phrase of phrases) {
      const cells = DIALECTS.map((dialect) => {
        if (!place.phrases(dialect).includes(phrase)) return '';
        return effectOf(place, phrase, dialect) ?? 'works';
      });
      if (cells.every((cell) => cell === '' || cell === 'works')) continue;
      rows.push(`| ${place.name} | \`${phrase}\` | ${cells.map(shorten(phrase)).join(' | ')} |`);
    }
  }
  return rows;
}

/** `PHRASE has no effect` -> `none` */
function shorten(phrase: string): (cell: string) => string {
  return (cell) => (cell === `${phrase} has no effect` ? 'none' : cell.replaceAll('|', '\\|'));
}

function generated(): string {
  const unrun = Object.keys(KINDS).filter(doesNotRun);
  const absent = ROUTE_ATTRIBUTES.filter(({ name }) => /^(ospf|rip|ra|babel|mpls)_/.test(name));
  return [
    BEGIN,
    '',
    '| where | statement | 1.6 | 2.x |',
    '|---|---|---|---|',
    ...statementRows(),
    '',
    `${unrun.length === 0 ? 'All protocols that are read run.' : `Protocols that are read and checked, and do not run: ${unrun.join(', ')}.`} Tables of other kinds than ipv4, ipv6, roa4, roa6 and aspa are known by name only.`,
    '',
    `Protocols that are passed over with one warning: ${DIALECTS.map(
      (dialect) => `${SKIPPED_KINDS[dialect].join(', ')} (${dialect})`,
    ).join('; ')}.`,
    '',
    `Attributes that filters may set and kernel routes will not have: ${UNWRITTEN_ATTRIBUTES.map((name) => `\`${name}\``).join(', ')}.`,
    '',
    `Attributes of protocols that are not there, never defined: ${absent.map(({ name }) => `\`${name}\``).join(', ')}.`,
    '',
    END,
  ].join('\n');
}

describe('BIRD.md', () => {
  it('says what is read and has no effect', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    const from = document.indexOf(BEGIN);
    const to = document.indexOf(END) + END.length;
    expect(from).toBeGreaterThan(0);
    const table = generated();
    if (process.env['GODWIT_UPDATE_DOCS'] === '1') {
      writeFileSync(DOCUMENT, document.slice(0, from) + table + document.slice(to));
      return;
    }
    expect(document.slice(from, to)).toBe(table);
  });

  it('would notice a statement that loses its effect', () => {
    const place = PLACES.find(({ name }) => name === 'kernel')!;
    expect(effectOf(place, 'persist', '2.x')).toBe(undefined);
    const pipe = PLACES.find(({ name }) => name === 'pipe')!;
    expect(effectOf(pipe, 'max generation', '2.x')).toBe('max generation has no effect');
  });
});
