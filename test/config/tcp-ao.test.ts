// TCP-AO in both languages: what becomes of keys, what is refused, and that a changed key keeps the session.

import { describe, expect, it } from 'vitest';
import { loadBird } from '../../src/config/bird/load.ts';
import { diffConfig } from '../../src/config/diff.ts';
import type { Config } from '../../src/config/model.ts';
import { filesOf, MAIN_FILE } from './bird/support.ts';
import { HOST, parse } from './support.ts';

const yaml = (authentication: string, more = ''): string =>
  `router: { asn: 64512, id: 10.99.0.1 }
peers:
  - { name: a, address: 10.1.1.1, asn: 64512, authentication: ${authentication}${more} }
`;

const bird = (body: string) =>
  loadBird(
    `router id 192.0.2.1;
protocol device d { }
protocol bgp a { local 192.0.2.1 as 64500; neighbor 10.0.0.2 as 64501; ipv4 { import all; export all; }; ${body} }`,
    MAIN_FILE,
    filesOf({}),
    HOST,
    { dialect: '2.x' },
  );

const keysOf = (config: Config) =>
  config.peers[0]?.tcpAo?.map(({ secret, ...key }) => ({ ...key, secret: secret.reveal() }));

describe('TCP-AO in YAML', () => {
  it('keys from everywhere, with ids for each direction', () => {
    const result = parse(
      yaml(
        '{ type: ao, keys: [{ id: 1, password: one, deprecated: true }, { sendId: 2, receiveId: 3, algorithm: cmac-aes128, password: { env: K }, preferred: true }, { id: 4, password: { file: /k } }] }',
      ),
      { env: { K: 'two' }, files: { '/k': 'three\n' } },
    );
    expect(result.ok && keysOf(result.config)).toEqual([
      { sendId: 1, receiveId: 1, algorithm: 'hmac-sha1', secret: 'one', use: 'deprecated' },
      { sendId: 2, receiveId: 3, algorithm: 'cmac-aes128', secret: 'two', use: 'preferred' },
      { sendId: 4, receiveId: 4, algorithm: 'hmac-sha1', secret: 'three', use: 'normal' },
    ]);
  });

  it.each([
    ['{ type: md5, keys: [{ id: 1, password: x }] }', '', 'expected ao'],
    ['{ type: ao, keys: [] }', '', 'the list is empty'],
    ['{ type: ao, keys: [{ password: x }] }', '', 'the key has no id'],
    ['{ type: ao, keys: [{ id: 1, password: false }] }', '', 'a TCP-AO key needs a password'],
    ['{ type: ao, keys: [{ id: 256, password: x }] }', '', '256 is out of range'],
    [
      '{ type: ao, keys: [{ id: 1, password: x }, { id: 1, password: y }] }',
      '',
      'two keys have the id for sending 1',
    ],
    [
      '{ type: ao, keys: [{ sendId: 1, receiveId: 7, password: x }, { sendId: 2, receiveId: 7, password: y }] }',
      '',
      'two keys have the id for receiving 7',
    ],
    ['{ type: ao, keys: [{ id: 1, password: x, deprecated: true }] }', '', 'all keys are deprecated'],
    [
      '{ type: ao, keys: [{ id: 1, password: x, preferred: true }, { id: 2, password: y, preferred: true }] }',
      '',
      'two keys are preferred',
    ],
    [
      '{ type: ao, keys: [{ id: 1, password: x }] }',
      ', password: y',
      'authentication and password exclude each other',
    ],
  ])('%s%s is refused', (text, more, message) => {
    const result = parse(yaml(text, more));
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.issues.map((issue) => issue.message).join('\n')).toContain(message);
  });

  it('an exchanged key keeps the session', () => {
    const of = (keys: string) => {
      const result = parse(yaml(`{ type: ao, keys: [${keys}] }`));
      if (!result.ok) throw new Error('bad');
      return result.config;
    };
    const plan = diffConfig(
      of('{ id: 1, password: one }'),
      of('{ id: 1, password: one }, { id: 2, password: two }'),
    );
    expect(plan.sentences).toEqual(['peer a: authentication changed; session kept']);
    expect(diffConfig(of('{ id: 1, password: one }'), of('{ id: 1, password: one }')).sentences).toEqual([]);
  });
});

describe("TCP-AO in BIRD's language", () => {
  it('authentication ao with keys', () => {
    const result = bird(
      'authentication ao; password "unused"; keys { key { id 1; secret "one"; algorithm hmac sha256; deprecated; }; key { send id 2; recv id 3; secret "two"; preferred; }; };',
    );
    expect(result.ok && result.warnings).toEqual([]);
    expect(result.ok && keysOf(result.config)).toEqual([
      { sendId: 1, receiveId: 1, algorithm: 'hmac-sha256', secret: 'one', use: 'deprecated' },
      { sendId: 2, receiveId: 3, algorithm: 'cmac-aes128', secret: 'two', use: 'preferred' },
    ]);
    expect(result.ok && result.config.peers[0]?.password).toBeUndefined();
  });

  it('authentication md5 is what a password says', () => {
    const result = bird('authentication md5; password "one";');
    expect(result.ok && [result.warnings, result.config.peers[0]?.password?.reveal()]).toEqual([[], 'one']);
  });

  it.each([
    ['authentication ao;', 'TCP-AO has no keys'],
    ['authentication ao; keys { key { id 1; }; };', 'a key lacks its id or secret'],
    ['authentication ao; keys { key { secret "x"; }; };', 'a key lacks its id or secret'],
    [
      'authentication ao; keys { key { id 1; secret "x"; algorithm keyed md5; }; };',
      'keyed md5 is no algorithm of TCP-AO',
    ],
    [
      'authentication ao; keys { key { id 1; secret "x"; }; key { id 1; secret "y"; }; };',
      'two keys have one id',
    ],
    ['authentication ao; keys { key { id 1; secret "x"; deprecated; }; };', 'all keys are deprecated'],
  ])('%s is refused', (body, message) => {
    const result = bird(body);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.issues.map((issue) => issue.message).join('\n')).toContain(message);
  });
});
