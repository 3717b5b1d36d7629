import { describe, expect, it } from 'vitest';
import { diffConfig } from '../../src/config/diff.ts';
import { config, issuesOf } from './support.ts';

const HEAD = `router: { asn: 64512, id: 10.0.0.1 }
peers:
  - { name: north, address: 192.0.2.1, asn: 64512 }
dynamicPeers:
  - { name: nodes, prefix: 198.51.100.0/24, asn: 64512 }
`;

describe('mrt', () => {
  it('is every message and state of every peer unless something else is said', () => {
    expect(config(`${HEAD}mrt: [{ file: /var/lib/%N }]`).diagnosis.messages).toEqual([
      {
        file: '/var/lib/%N',
        peers: undefined,
        messages: true,
        states: true,
        maxSize: undefined,
        maxAge: undefined,
      },
    ]);
  });

  it('may be of some, and in files of a size or an age', () => {
    const text = `${HEAD}mrt: [{ file: /f, peers: [north, nodes], records: [states], maxSize: 65536, maxAge: 3600 }]`;
    expect(config(text).diagnosis.messages).toEqual([
      { file: '/f', peers: ['north', 'nodes'], messages: false, states: true, maxSize: 65_536, maxAge: 3600 },
    ]);
  });

  it.each([
    ['a relative path', '{ file: f }', 'expected a path that begins with /'],
    ['nothing to be written', '{ file: /f, records: [] }', undefined],
    ['a size that is none', '{ file: /f, maxSize: 10 }', undefined],
    ['a peer that is not there', '{ file: /f, peers: [nort] }', 'there is no peer nort'],
  ])('refuses %s', (_name, entry, message) => {
    const issues = issuesOf(`${HEAD}mrt: [${entry}]`).filter(({ severity }) => severity === 'error');
    expect(issues.length).toBe(1);
    if (message !== undefined) expect(issues[0]?.message).toContain(message);
    if (entry.includes('nort')) expect(issues[0]?.hint).toBe('did you mean north?');
  });

  it('changes without anything else', () => {
    const plan = diffConfig(config(HEAD), config(`${HEAD}mrt: [{ file: /f }]`));
    expect(plan.sentences).toEqual(['journal, watchdog, crash reports or MRT files: taken over']);
  });
});
