// Secrets in every place where a configuration can have one, and mistakes of all kinds around them: nothing that is said
// of it, for people or as JSON, may have one. What a running daemon says is a lab's business (test/interop).

import { describe, expect, it } from 'vitest';
import { describeErrors } from '../../src/cli/bird/check.ts';
import { loadBird } from '../../src/config/bird/load.ts';
import { summarizeBird } from '../../src/config/bird/summary.ts';
import { diffConfig } from '../../src/config/diff.ts';
import { type ConfigIssue, formatIssues } from '../../src/config/issues.ts';
import type { Config } from '../../src/config/model.ts';
import { summarize } from '../../src/config/summary.ts';
import type { Dialect } from '../../src/policy/lexer.ts';
import { filesOf, MAIN_FILE } from './bird/support.ts';
import { HOST, parse } from './support.ts';

/** In every secret; nothing else has it. */
const MARK = 'xyzzy';
const ENV = { KEY: `env-${MARK}`, AO: `env-ao-${MARK}` };
const FILES = { '/k': `file-${MARK}\n`, '/ao': `file-ao-${MARK}\n` };

const YAML = `
router: { asn: 64512, id: 10.99.0.1 }
peerGroups:
  clients:
    asn: 64512
    password: group-${MARK}
    bfd: { verification: { type: sha1, password: bfd-${MARK} } }
peers:
  - address: 10.1.1.1
    group: clients
  - { address: 10.1.1.2, asn: 64512, password: flow-${MARK} }
  - address: 10.1.1.3
    asn: 64512
    password: { value: "value-${MARK}" }
  - { address: 10.1.1.4, asn: 64512, password: { env: KEY } }
  - { address: 10.1.1.5, asn: 64512, password: { file: /k } }
  - { address: 10.1.1.6, asn: 64512, password: "\${KEY}" }
  - { address: 10.1.1.7, asn: 64512, password: "\${NO:-default-${MARK}}" }
  - address: 10.1.1.8
    asn: 64512
    authentication:
      type: ao
      keys:
        - { id: 1, password: ao-${MARK} }
        - id: 2
          algorithm: cmac-aes128
          password: { value: ao-value-${MARK} }
        - { id: 3, password: { env: AO } }
        - { id: 4, password: { file: /ao } }
dynamicPeers:
  - prefix: 10.2.0.0/16
    asn: 64512
    password: |
      block-${MARK}
control:
  tcp:
    listen: "[::1]:1"
    tls: { ca: ca.pem, cert: c.pem, privateKey: k.pem }
`;

const BGP = 'local 10.99.0.1 as 64500; neighbor 10.1.1';
const BIRD: Readonly<Record<Dialect, string>> = {
  '1.6': `router id 10.99.0.1;
protocol device { }
template bgp clients {
  local as 64500;
  password "template-${MARK}";
}
protocol bgp a from clients { neighbor 10.1.1.1 as 64501; }
protocol bgp b { ${BGP}.2 as 64501; password "one-${MARK}"; bfd on; }
protocol bgp c {
  local as 64500;
  neighbor 10.1.1.3 as 64501;
  password "lines-${MARK}";
}
`,
  '2.x': `router id 10.99.0.1;
define SHARED = "define-${MARK}";
protocol device { }
template bgp clients {
  local as 64500;
  password "template-${MARK}";
  ipv4 { import all; export all; };
}
protocol bgp a from clients { neighbor 10.1.1.1 as 64501; }
protocol bgp b { ${BGP}.2 as 64501; password "one-${MARK}"; bfd on; ipv4 { import all; export all; }; }
protocol bgp c {
  local as 64500;
  neighbor 10.1.1.3 as 64501;
  authentication ao;
  keys {
    key { id 1; secret "ao-${MARK}"; algorithm hmac sha1; };
    key {
      id 2;
      secret "ao-lines-${MARK}";
    };
  };
  ipv4 { import all; export all; };
}
protocol bgp d { ${BGP}.4 as 64501; password SHARED; ipv4 { import all; export all; }; }
protocol bfd {
  interface "*" {
    authentication keyed sha1;
    password "bfd-${MARK}" { id 1; };
    password "bfd-two-${MARK}";
  };
}
`,
};

/** Mistakes: each makes another text of a line that has a secret. */
const MISTAKES: readonly ((line: string) => string)[] = [
  (line) => line.replace(/[;}\]"']([^;}\]"']*)$/, '$1'),
  (line) => `${line}\n${line}`,
  (line) => line.replace(/(\s*)/, '$1x '),
  (line) => `${line} }`,
  (line) => line.replace(/pass|secr|auth/, 'pas'),
  (line) => line.replace(/password|secret/, 'pasword'),
  (line) => line.replace(/: |"/, ' '),
  (line) => line.replaceAll('"', ''),
  (line) => line.replace(/"/, ''),
  (line) => line.replace(/([-\w]*xyzzy)/, '[ $1 ]'),
  (line) => line.replace(/([-\w]*xyzzy)/, '$1 $1'),
  (line) => line.replace(/([-\w]*xyzzy)/, '$1\\q'),
  (line) => line.replace(/([-\w]*xyzzy)/, '$1'.repeat(12)),
  (line) => line.replace(/([-\w]*xyzzy)/, '$1\u0007'),
  (line) => line.replace(/([-\w]*xyzzy)/, (secret) => `\${${secret}}`),
  (line) => line.replace(/([-\w]*xyzzy)/, '*$1'),
  (line) => line.replace(/([-\w]*xyzzy)/, '{ $1: 1 }'),
  (line) => line.replace(/10\.\d+\.\d+\.\d+/, 'nonsense'),
  (line) => line.replace(/id \d/, 'id 999').replace(/id: \d/, 'id: 999'),
  (line) => line.replace(/sha1|hmac/, 'rot13'),
  (line) => `${line.slice(0, line.indexOf(MARK) + MARK.length)}`,
];

function* mistaken(text: string): Generator<string> {
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (!line.includes(MARK)) continue;
    for (const mistake of MISTAKES) {
      const changed = mistake(line);
      if (changed !== line) yield [...lines.slice(0, i), changed, ...lines.slice(i + 1)].join('\n');
    }
  }
}

function said(issues: readonly ConfigIssue[]): string {
  return [
    formatIssues(issues, { color: false }),
    formatIssues(issues, { color: true, width: 40 }),
    describeErrors('bird', issues),
    JSON.stringify(issues),
  ].join('\n');
}

function shown(config: Config): string {
  return [
    ...summarize(config),
    ...(config.bird === undefined ? [] : summarizeBird(config.bird)),
    // A constant is a text like any other, until it is used as a password.
    JSON.stringify({ ...config, bird: { ...config.bird, definitions: undefined } }),
  ].join('\n');
}

const load = {
  yaml: (text: string) => parse(text, { env: ENV, files: FILES }),
  '1.6': (text: string) => loadBird(text, MAIN_FILE, filesOf({}), HOST, { dialect: '1.6' }),
  '2.x': (text: string) => loadBird(text, MAIN_FILE, filesOf({}), HOST, { dialect: '2.x' }),
} as const;
const CASES = [
  { language: 'yaml', text: YAML },
  { language: '1.6', text: BIRD['1.6'] },
  { language: '2.x', text: BIRD['2.x'] },
] as const;

/** The line that was wrong, and the lines that show too much. */
function leak(bad: string, words: string): string {
  const lines = words.split('\n').filter((line) => line.includes(MARK));
  return `a secret is shown for\n${bad}\n=>\n${lines.map((line) => line.slice(0, 600)).join('\n')}`;
}

describe.each(CASES)('secrets in $language', ({ language, text }) => {
  it('are read, and shown by nothing', () => {
    const result = load[language](text);
    if (!result.ok) throw new Error(said(result.issues));
    const { config } = result;
    const passwords = config.peers.map(({ password }) => password?.reveal());
    expect(passwords.filter((each) => each?.includes(MARK)).length).toBeGreaterThan(1);
    const words = shown(config) + said(result.warnings);
    if (words.includes(MARK)) throw new Error(leak('the good text', words));
  });

  it('that change are told without them', () => {
    const before = load[language](text);
    const after = load[language](text.replaceAll(`-${MARK}`, `-${MARK}2`));
    if (!before.ok || !after.ok) throw new Error('bad');
    const { sentences } = diffConfig(before.config, after.config);
    expect(sentences.length).toBeGreaterThan(1);
    expect(sentences.join('\n')).not.toContain(MARK);
  });

  it('are in no complaint, whatever is wrong around them', () => {
    let wrong = 0;
    for (const bad of mistaken(text)) {
      const result = load[language](bad);
      const words = result.ok ? said(result.warnings) + shown(result.config) : said(result.issues);
      if (!result.ok) wrong++;
      if (words.includes(MARK)) throw new Error(leak(bad, words));
    }
    expect(wrong).toBeGreaterThan(20);
  });
});

it('the text of a YAML secret that stands elsewhere, too, is shown nowhere', () => {
  const text = `router: { asn: 64512, id: 10.99.0.1 }
peers:
  - { address: 10.1.1.1, asn: 64512, password: ${MARK}, import: ${MARK}, description: "was ${MARK}1", bogus: 1 }
`;
  const result = parse(text);
  if (result.ok) throw new Error('it has no filter of that name');
  const words = said(result.issues);
  expect(words).toContain('there is no filter <redacted>');
  expect(words).toContain('description: "was <redacted>1"');
  expect(words).not.toContain(MARK);
});
