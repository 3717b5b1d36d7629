import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssues } from '../../src/config/issues.ts';
import { configSchema } from '../../src/config/schema.ts';
import { allKeyPaths } from '../../src/config/schema-walk.ts';
import { isSecretKey } from '../../src/config/source-text.ts';
import { EBGP, IBGP, PEERS, R } from './cases/case.ts';
import { LANGUAGE_CASES } from './cases/language.ts';
import { PEER_CASES } from './cases/peers.ts';
import { SECTION_CASES } from './cases/sections.ts';
import { issuesOf, parse } from './support.ts';

const CASES = [...LANGUAGE_CASES, ...PEER_CASES, ...SECTION_CASES];

describe('one mistake, one issue', () => {
  it.each(CASES)('$what', ({ yaml, at, message, hint, severity }) => {
    const issues = issuesOf(yaml);
    const places = issues.map((issue) => `${issue.line}:${issue.column} ${issue.message}`);
    const found = issues.find((issue) => message.test(issue.message));
    expect(found, places.join('\n')).toBeDefined();
    expect(`${found?.line}:${found?.column}`).toBe(at);
    expect(found?.severity).toBe(severity ?? 'error');
    if (hint !== undefined) expect(found?.hint).toMatch(hint);
    expect(parse(yaml).ok).toBe(severity === 'warning');
    // Nothing is accused twice, and nobody else is.
    expect(
      issues.filter((issue) => issue.severity === 'error').length,
      places.join('\n'),
    ).toBeLessThanOrEqual(severity === 'warning' ? 0 : 2);
  });

  it('says nothing about a good configuration', () => {
    expect(issuesOf(EBGP('holdTime: 9'))).toEqual([]);
    expect(issuesOf(IBGP('routeReflectorClient: true, clusterId: 1.1.1.1'))).toEqual([]);
  });

  it('cannot choose a router id on a host without IPv4', () => {
    const issues = issuesOf('router: { asn: 1 }\n', {
      host: { hostname: 'h', addresses: ['::1', '127.0.0.1'] },
    });
    expect(issues.map((issue) => issue.message)).toEqual([
      'the router id is missing, and no own IPv4 address is known',
    ]);
  });
});

describe('all at once', () => {
  const yaml = [
    'router: { asn: 64512, id: 1.2.3 }',
    'kernel: { install: maybe, ecmp: 0 }',
    'peerGroups:',
    '  up: { asn: 1, routeReflectorClient: true, holdTime: 1 }',
    'peers:',
    '  - { address: 10.1.1.1, group: up, import: acept, export: accept }',
    '  - { address: 10.1.1.1, group: up, import: accept, export: accept }',
    'networks: [10.0.0.1/8]',
    'lgo: info',
    '',
  ].join('\n');

  it('reports every mistake, once, in order', () => {
    expect(issuesOf(yaml).map((issue) => `${issue.line}:${issue.column} ${issue.path}`)).toEqual([
      '1:27 router.id',
      '2:20 kernel.install',
      '2:33 kernel.ecmp',
      '4:17 peerGroups.up.routeReflectorClient',
      '4:55 peerGroups.up.holdTime',
      '6:45 peers[0].import',
      '7:16 peers[1].address',
      '8:12 networks[0]',
      '9:1 lgo',
    ]);
  });

  it('warns once of a group without policy', () => {
    const peers = [1, 2, 3].map((i) => `  - { address: 10.1.1.${i}, group: up }\n`).join('');
    const issues = issuesOf(`${R}peerGroups: { up: { asn: 1 } }\npeers:\n${peers}`);
    expect(issues.map((issue) => `${issue.line}:${issue.column} ${issue.message}`)).toEqual([
      '2:19 peer group up is eBGP without import and export: it exchanges no routes (RFC 8212)',
    ]);
  });

  it('does not call missing what is there and wrong', () => {
    const text = `router: { asn: "\${NOPE}", id: 10.99.0.1 }\npeers: [{ address: "\${NOPE}", asn: *no }]\n`;
    expect(issuesOf(text).map((issue) => issue.path)).toEqual([
      'router.asn',
      'peers[0].address',
      'peers[0].asn',
    ]);
  });

  it('does not blame a peer for what is wrong in its group', () => {
    const text = `${R}peerGroups: { a: { asn: zero } }\npeers: [{ address: 10.1.1.1, group: a }]\n`;
    expect(issuesOf(text).map((issue) => issue.path)).toEqual(['peerGroups.a.asn']);
  });
});

describe('rendering', () => {
  it('shows place, line, caret and hint', () => {
    expect(formatIssues(issuesOf(`${R}log: { level: inof }\n`), { color: false })).toBe(
      [
        '/etc/godwit.yaml:2:15: error: log.level: expected debug, info, warn or error, found "inof"',
        '    2 | log: { level: inof }',
        '      |               ^^^^',
        '  hint: did you mean info?',
        '',
      ].join('\n'),
    );
  });

  it('colours only when asked to', () => {
    const issues = issuesOf(`${R}log: 5\n`);
    expect(formatIssues(issues, { color: false })).not.toContain('\u001b');
    expect(formatIssues(issues, { color: true })).toContain('\u001b[31merror\u001b[0m');
  });

  it('crops a long line around the caret', () => {
    const pad = 'x'.repeat(300);
    const text = formatIssues(issuesOf(EBGP(`description: "${pad}", port: 70000, name: a`)), {
      color: false,
      width: 60,
    });
    const [, line = '', marks = ''] = text.split('\n');
    expect(line.length).toBeLessThanOrEqual(60);
    expect(line.slice(marks.indexOf('^'))).toMatch(/^70000/);
  });

  it('keeps the caret under its word on a line with a blacked-out password', () => {
    const text = formatIssues(issuesOf(EBGP('password: a-very-long-secret-indeed, port: 70000')), {
      color: false,
    });
    const [, line = '', marks = ''] = text.split('\n');
    expect(line).toContain('password: <redacted>, port');
    expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('70000');
  });

  it('shows no control characters of the file', () => {
    const text = formatIssues(issuesOf(`${R}log: "\u001b[2Jx"\n`), { color: false });
    expect(text).not.toContain('\u001b');
  });
});

describe('secrets', () => {
  const SECRET = 'Xq7-hunter2';
  const PLACES = [
    EBGP(`password: ${SECRET}, port: 70000`),
    EBGP(`pasword: ${SECRET}`),
    EBGP(`passwd: "${SECRET}"`),
    EBGP(`md5: ${SECRET}`),
    EBGP(`authKey: ${SECRET}`),
    EBGP(`password: [${SECRET}]`),
    EBGP(`password: { ${SECRET} }`),
    EBGP(`password: { key: ${SECRET} }`),
    EBGP(`password: { value: ${SECRET}, file: x }`),
    EBGP(`password: { value: ${SECRET}${SECRET.repeat(8)} }`),
    EBGP(`password: ${SECRET}, password: ${SECRET}`),
    EBGP(`password: "\${${SECRET}"`),
    EBGP(`password: "a\${${SECRET.slice(4)}}"`),
    EBGP(`password: "\${NO:-${SECRET}}", port: 0`),
    EBGP(`password: &a ${SECRET}, name: [*a]`),
    EBGP(`name: &a ${SECRET}, password: *a, port: 0`),
    EBGP(`password: "${SECRET}\\q"`),
    EBGP(`password: \${${SECRET}}`),
    EBGP(`password: @${SECRET}`),
    EBGP(`password: {a} ${SECRET}`),
    EBGP(`password ${SECRET}: [`),
    EBGP(`password ${SECRET}`),
    EBGP(`password=${SECRET}`),
    EBGP(`role: peer password ${SECRET}`),
    `${PEERS}  - address: 10.1.1.1\n    import: accept\n    password ${SECRET}\n    asn: 1\n`,
    `${PEERS}  - address: 10.1.1.1\n    password\n      ${SECRET}\n    asn: 1\n`,
    `${PEERS}  - address: 10.1.1.1\n    password: x\n      y: [\n      ${SECRET} ]: }\n`,
    `${PEERS}  - address: 10.1.1.1\n    password: {\n    ${SECRET} ]\n`,
    EBGP(`password: ${SECRET}: x`),
    `${PEERS}  - { address: 10.1.1.1, password: ${SECRET}\n  log: [`,
    `${PEERS}  - address: 10.1.1.1\n    password: |\n      ${SECRET}\n    port: 0\n`,
    `${PEERS}  - address: 10.1.1.1\n    password:\n      - ${SECRET}\n    port: 0\n`,
    `${PEERS}  - address: 10.1.1.1\n    password: >\n      ${SECRET}\n   port: 0\n`,
    `password: ${SECRET}\n`,
    `${R}password: ${SECRET}\n---\n`,
  ];

  it.each(PLACES)('are in nothing that is said about %#', (yaml) => {
    const result = parse(yaml, { env: { UNUSED: SECRET } });
    const said = [
      JSON.stringify(result),
      formatIssues(result.ok ? result.warnings : result.issues, { color: true, width: 400 }),
    ].join('\n');
    expect(said).toMatch(/error|redacted/);
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain('hunter2');
  });

  it('stay in the model and are told by one method only', () => {
    const result = parse(EBGP('password: { file: /k }'), { files: { '/k': `${SECRET}\n` } });
    expect(result.ok && result.config.peers[0]?.password?.reveal()).toBe(SECRET);
    expect(JSON.stringify(result)).not.toContain(SECRET);
    expect(result.ok && `${result.config.peers[0]?.password}`).toBe('<redacted>');
  });

  it('are looked for under no key that means something else', () => {
    const keys = allKeyPaths(configSchema).map((path) => path.split('.').at(-1) ?? '');
    expect([...new Set(keys.filter(isSecretKey))]).toEqual(['password', 'authentication', 'privateKey']);
  });
});

describe('hostile input', () => {
  const samples = [
    ...CASES.map((each) => each.yaml),
    EBGP('addPath: { receive: true }, password: { env: A }'),
  ];

  it('never throws on a mutated file, and always points into it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...'{}[]:,-&*!|>%@`"\'#? \t\n\u0000é${<')), {
          minLength: 1,
          maxLength: 4,
        }),
        (sample, edits) => {
          let text = sample;
          for (const [place, cut, char] of edits) {
            const at = text.length === 0 ? 0 : place % text.length;
            text = text.slice(0, at) + char + text.slice(at + cut);
          }
          const lines = text.split('\n');
          for (const issue of issuesOf(text)) {
            expect(issue.line).toBeGreaterThanOrEqual(1);
            expect(issue.line).toBeLessThanOrEqual(lines.length);
            expect(issue.column).toBeLessThanOrEqual((lines[issue.line - 1] ?? '').length + 1);
          }
          formatIssues(issuesOf(text), { color: false });
        },
      ),
      { numRuns: 400 },
    );
  });

  it('survives deep nesting and multiplying aliases', () => {
    expect(parse('['.repeat(10_000)).ok).toBe(false);
    const levels = Array.from(
      { length: 20 },
      (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`,
    );
    expect(parse(`a0: &a0 [x]\n${levels.join('\n')}\n`).ok).toBe(false);
    expect(parse('a: &a [*a]\n').ok).toBe(false);
    expect(parse('__proto__: { asn: 1 }\nconstructor: 1\n').ok).toBe(false);
  });
});
