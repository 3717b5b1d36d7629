// No two protocols have one name, whatever they are.

import { describe, expect, it } from 'vitest';
import { issuesOf } from './support.ts';

const HEAD = `router: { asn: 65000, id: 10.0.0.1 }
tables: { blue: {} }`;

/** An entry of each kind that is called `x`, and where its name stands in a file with the others' sections. */
const KINDS = {
  'peers[0]': 'peers: [{ address: 10.0.0.2, asn: internal, name: x }]',
  'dynamicPeers[0]': 'dynamicPeers: [{ prefix: 10.1.0.0/16, asn: internal, name: x }]',
  'pipes[0]': 'pipes: [{ from: main, to: blue, name: x }]',
  'rpki.caches[0]': 'rpki: { caches: [{ host: a, name: x }] }',
} as const;
const ENTRIES = Object.entries(KINDS);
const PAIRS = ENTRIES.flatMap((first, i) => ENTRIES.slice(i + 1).map((second) => [first, second] as const));

/** Path, line and message of every issue. */
function issues(...sections: string[]): string[] {
  const found = issuesOf([HEAD, ...sections].join('\n'));
  return found.map(({ path, line, message }) => `${line} ${path}: ${message}`);
}

describe('names of protocols', () => {
  it.each(ENTRIES)('%s alone has its own', (_path, section) => {
    expect(issues(section)).toEqual([]);
  });

  it.each(PAIRS)('are not shared: %s and %s', ([first, one], [second, other]) => {
    // Lines count from 1, and two are the head.
    expect(issues(one, other)).toEqual([`4 ${second}.name: the name x is taken by ${first} in line 3`]);
    // Where it stands earlier in the file makes no difference to who is accused.
    expect(issues(other, one)).toEqual([`3 ${second}.name: the name x is taken by ${first} in line 4`]);
  });

  it('are not shared within a kind', () => {
    expect(issues('rpki: { caches: [{ host: a, name: x }, { host: b, name: x }] }')).toEqual([
      '3 rpki.caches[1].name: the name x is taken by rpki.caches[0] in line 3',
    ]);
    expect(issues('pipes: [{ from: main, to: blue, name: x }, { from: main, to: blue, name: x }]')).toEqual([
      '3 pipes[1].name: the name x is taken by pipes[0] in line 3',
    ]);
  });

  it('count where nobody has written them', () => {
    const peers = 'peers: [{ address: 10.0.0.2, asn: internal, name: rpki1 }]';
    expect(issues(peers, 'rpki: { caches: [192.0.2.1] }')).toEqual([
      '4 rpki.caches[0]: the name rpki1 is taken by peers[0] in line 3',
    ]);
    expect(issues('pipes:', '  - { from: main, to: blue }', '  - { from: main, to: blue }')).toEqual([
      '5 pipes[1]: the name main-blue is taken by pipes[0] in line 4',
    ]);
  });

  it('are found beside a pipe that leads nowhere', () => {
    const found = issues('pipes:', '  - { from: main, to: green }', ...['a', 'a'].map(pipe));
    expect(found).toEqual([
      '4 pipes[0].to: there is no table green',
      '6 pipes[2].name: the name a is taken by pipes[1] in line 5',
    ]);
  });
});

function pipe(name: string): string {
  return `  - { from: main, to: blue, name: ${name} }`;
}
