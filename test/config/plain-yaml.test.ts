// What is read without the YAML library is what the library reads: trees, places, secrets and complaints.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IssueList } from '../../src/config/issues.ts';
import type { ConfigNode } from '../../src/config/nodes.ts';
import { readPlainSections } from '../../src/config/plain-yaml.ts';
import { SourceText } from '../../src/config/source-text.ts';
import { readSyntax } from '../../src/config/syntax.ts';

const ENV = { SET: 'a value', PORT: '179' };
/** A line of the first column that is no plain key: everything is left to the library. */
const LIBRARY = '\n"~": 0\n';

/** The tree, the issues, and all lines as they may be shown. */
function read(text: string) {
  const source = new SourceText('test.yaml', text);
  const issues = new IssueList(source);
  const root = readSyntax(source, ENV, issues);
  const tree = root?.kind === 'map' ? [...root.entries].filter(([key]) => key !== '~') : root;
  const lines = [...text.matchAll(/^/gm)].map(
    ({ index }) => source.excerpt({ start: index, end: index }).text,
  );
  return {
    tree: Array.isArray(tree) ? tree.map(([key, entry]) => [key, entry.key, shown(entry.value, text)]) : tree,
    issues: issues.sorted().map(({ line, path, message, hint }) => ({ line, path, message, hint })),
    lines,
  };
}

/** What ends behind its line is shown to the end of the line. */
function shown(node: ConfigNode, text: string): unknown {
  const newline = text.indexOf('\n', node.span.start);
  const lineEnd = newline < 0 ? text.length : newline;
  const span = {
    start: node.span.start,
    end: node.kind === 'scalar' ? node.span.end : Math.min(node.span.end, lineEnd),
  };
  if (node.kind === 'scalar') return { ...node, span };
  if (node.kind === 'list') return { span, items: node.items.map((item) => shown(item, text)) };
  return {
    span,
    entries: [...node.entries].map(([key, entry]) => [key, entry.key, shown(entry.value, text)]),
  };
}

function plainNames(text: string): string[] {
  const source = new SourceText('test.yaml', text);
  return readPlainSections(source, ENV, new IssueList(source)).map(({ name }) => name);
}

/** Returns whether there was something to compare. */
function same(text: string): boolean {
  if (plainNames(text).length === 0) return false;
  const { tree, issues, lines } = read(text);
  const library = read(text + LIBRARY);
  expect(tree).toEqual(library.tree);
  // Of a broken text all is the library's, and the line behind it is one more complaint.
  if (library.tree === undefined) return false;
  expect(issues).toEqual(library.issues);
  expect(lines).toEqual(library.lines.slice(0, lines.length));
  return true;
}

const WORDS = [
  ...[
    'word',
    'two words',
    '10.0.0.0/8',
    '2001:db8::/32',
    '::1',
    '::/0',
    '192.0.2.1',
    'fe80::1%eth0',
    '64512:1',
  ],
  ...[
    '0',
    '7',
    '0660',
    '64512.1',
    '1.5',
    '1e3',
    '.5',
    '0x10',
    '0o7',
    '-1',
    '+1',
    '1_000',
    '12345678901234567890',
  ],
  ...[
    'true',
    'false',
    'True',
    'null',
    'Null',
    '~',
    'yes',
    'no',
    '.inf',
    '.nan',
    '""',
    "''",
    '"a: b"',
    "'it''s'",
  ],
  ...['"esc\\n"', "'# no comment'", `\${SET}`, `\${MISSING}`, `\${PORT:-1}`, `"\${SET}"`, `a \${MISSING} b`],
  ...[
    'a:b',
    'a: b',
    'a :b',
    'a#b',
    'a #b',
    'a,b',
    'a, b',
    '[a',
    'a]',
    '{a',
    'a}',
    '*a',
    '&a b',
    '!t x',
    '@x',
    '%x',
  ],
  ...[
    '- a',
    '-a',
    '?a',
    '? a',
    '|',
    '>',
    'a|b',
    'password s3cret',
    '*',
    'a ',
    'a\tb',
    '\ta',
    'a\rb',
    'ü',
    '',
    '-',
  ],
  ...[
    'a\\b',
    'a"b',
    "a'b",
    '=',
    ':',
    ': a',
    ',',
    '#',
    '# c',
    '---',
    '...',
    'a  b',
    '1.2.3',
    '1:30',
    'a:',
    '"a":b',
  ],
];
const KEYS = [
  'a',
  'b-c',
  'networks',
  'password',
  'file',
  'env',
  'value',
  'authPasword',
  'null',
  '1',
  '"q"',
  '<<',
  'a b',
];

const word = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('x', '10.0.0.0/8', '1', 'true') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...WORDS),
  },
);
const key = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'password') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...KEYS),
  },
);
const gap = fc.constantFrom('', '', '', ' ', '  ');
const behind = fc.constantFrom('', '', '', '', ' ', ' # note', '# x', '\n', '\n\n  # note', '\n# note');

const { inBrackets } = fc.letrec<{ inBrackets: string; pairs: string; list: string; value: string }>(
  (tie) => ({
    value: fc.oneof({ weight: 3, arbitrary: word }, tie('inBrackets')),
    pairs: fc
      .tuple(
        fc.array(
          fc.tuple(key, fc.constantFrom(...Array<string>(20).fill(': '), ':', ' : '), tie('value'), gap),
        ),
        gap,
        behind,
      )
      .map(
        ([entries, before, comma]) =>
          `{${before}${entries.map((each) => each.join('')).join(', ')}${comma === ' ' ? ',' : ''}}`,
      ),
    list: fc.tuple(fc.array(tie('value')), gap).map(([items, before]) => `[${before}${items.join(', ')}]`),
    inBrackets: fc.oneof(tie('pairs'), tie('list')),
  }),
);

/** Lines of a block, each with its depth in front. */
const { block } = fc.letrec<{ block: string[]; entry: string[]; item: string[] }>((tie) => {
  const below = fc
    .tuple(tie('block'), fc.constantFrom(2, 2, 2, 2, 1, 4, 3, 0))
    .map(([lines, by]) => indented(lines, by));
  const inline = fc.tuple(fc.oneof(word, inBrackets), behind).map(([text, after]) => [` ${text}${after}`]);
  const nested = fc.tuple(behind, below).map(([after, lines]) => [after, ...lines]);
  const head = (start: string, [first, ...others]: string[]) => [`${start}${first ?? ''}`, ...others];
  return {
    entry: fc.tuple(key, fc.oneof(inline, nested)).map(([name, lines]) => head(`${name}:`, lines)),
    item: fc.oneof(
      inline.map((lines) => head('-', lines)),
      tie('entry').map((lines) => head('- ', [lines[0] ?? '', ...indented(lines.slice(1), 2)])),
      fc.tuple(tie('entry'), tie('entry')).map(([one, two]) => {
        return head('- ', [one[0] ?? '', ...indented([...one.slice(1), ...two], 2)]);
      }),
    ),
    block: fc
      .oneof(
        { maxDepth: 3 },
        fc.array(tie('item'), { minLength: 1, maxLength: 3 }),
        fc.array(tie('entry'), { minLength: 1, maxLength: 3 }),
      )
      .map((parts) => parts.flat()),
  };
});

function indented(lines: readonly string[], by: number): string[] {
  return lines.map((line) => ' '.repeat(by) + line);
}

const section = fc
  .tuple(
    fc.constantFrom('networks', 'peers', 'router', 'password', 'x', 'y', 'z'),
    behind,
    block,
    fc.constantFrom(2, 2, 0, 1),
  )
  .map(([name, after, lines, by]) => [`${name}:${after}`, ...indented(lines, by)].join('\n'));

const RUNS = 300;

describe('plain YAML', () => {
  it('is read as the library reads it', () => {
    let compared = 0;
    fc.assert(
      fc.property(fc.array(section, { minLength: 1, maxLength: 3 }), (sections) => {
        if (same(sections.join('\n'))) compared++;
      }),
      { numRuns: RUNS },
    );
    expect(compared).toBeGreaterThan(RUNS / 20);
  });

  it('has every form in which lists are written', () => {
    const text = `# comment
router: { asn: 64512, id: 10.99.0.1 } # comment
networks:
  - 10.0.0.0/8
  - { prefix: 2001:db8::/32, communities: [64512:1, no-export,], med: 5 }

  - prefix: ::/0   # comment
    via:
      - "2001:db8::1"
      - '2001:db8::2'
peers:
- address: 192.0.2.1
  description: up to Berlin (2)
  password: \${SET}
  # comment
  limits:
      received: { max: 10 }

- address: 192.0.2.2
  password:
    file: /etc/secret`;
    expect(plainNames(text)).toEqual(['router', 'networks', 'peers']);
    for (const end of ['', '\n', '\n  # comment']) expect(same(text + end)).toBe(true);
  });

  it('has its sections beside what only the library reads, in any order', () => {
    const filter = 'filters:\n  f: |\n    if net = 10.0.0.0/8 then reject;\n    accept;\n';
    const networks = 'networks:\n  - 10.0.0.0/8\n';
    for (const parts of [
      [filter, networks],
      [networks, filter],
      [networks, filter, 'peers: [&a b, *a]\n'],
    ]) {
      expect(plainNames(parts.join(''))).toEqual(['networks']);
      expect(same(parts.join(''))).toBe(true);
    }
  });

  it.each([
    ['a second document', 'networks:\n  - 10.0.0.0/8\n---\npeers: []\n'],
    ['a key that is given twice', 'networks: [a]\nnetworks: [b]\n'],
    ['a bracket on a line of its own', 'listen: [\n]\nnetworks: [a]\n'],
    ['another key in quotes', 'networks: [a]\n"peers": []\n'],
    ['a key in front that is indented', ' networks: [a]\nnetworks: [b]\n'],
  ])('is nothing of a text with %s', (_what, text) => {
    expect(plainNames(text)).toEqual([]);
  });

  it('has comments in front, indented ones too', () => {
    const text = '  # comment\n  \nnetworks: [a]\n';
    expect(plainNames(text)).toEqual(['networks']);
    expect(same(text)).toBe(true);
  });

  it('hides passwords everywhere that nothing can be put into', () => {
    expect(same(`peers:\n  - password: hu\${sh\n    description: hu\${sh\n`)).toBe(true);
  });

  it.each([
    `peers:\n  - description: \${NONE:-it's "fine"!}\n`,
    `peers:\n  - "\${NONE}": key\n`,
    `peers: ["\${NONE}": key]\n`,
  ])('says nothing of what the library reads otherwise: %j', (text) => {
    expect(plainNames(text)).toEqual([]);
    expect(read(text).issues).toEqual([]);
  });

  it('is nothing that is nested without end', () => {
    const text = `networks: ${'['.repeat(100)}a${']'.repeat(100)}\n`;
    expect(plainNames(text)).toEqual([]);
  });

  it.each([
    ['networks:\n  - 10.0.0.0/8\npeers:\n  - address: "open\n', 4],
    ['networks:\n  - 10.0.0.0/8\npeers: { a: 1\n', 3],
  ])('leaves mistakes beside it to the library: %j', (text, line) => {
    const { tree, issues } = read(text);
    expect(tree).toBeUndefined();
    expect(issues[0]?.line).toBe(line);
  });
});
