// Whose keys the kernel cannot tell apart, in both of the languages: what `godwit check` warns of.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { model } from './bird/support.ts';
import { parse } from './support.ts';

const ONE_OF_TWO = /kernel knows one for an address/;

function native(listen: ConfigInput['listen'], more: Partial<ConfigInput>): string[] {
  const input: ConfigInput = {
    router: { asn: 65000, id: '10.0.0.1' },
    ...(listen !== undefined && { listen }),
    ...more,
  };
  const read = parse(JSON.stringify(input));
  if (!read.ok) throw new Error(read.issues.map(({ message }) => message).join('\n'));
  return read.warnings
    .map(({ path, message }) => `${path}: ${message}`)
    .filter((text) => /kernel/.test(text));
}

const range = (link: string, keys: object) => ({
  prefix: 'fe80::/10',
  interface: link,
  asn: 'internal' as const,
  ...keys,
});
const ao = (password: string) => ({ authentication: { type: 'ao' as const, keys: [{ id: 1, password }] } });

describe('link-local ranges with different keys', () => {
  const two = {
    dynamicPeers: [range('eth0', { password: 'hush one' }), range('eth1', { password: 'hush two' })],
  };

  it('clash on a socket of all links', () => {
    expect(native(undefined, two)).toEqual([
      expect.stringMatching(/^dynamicPeers\[1\].*another password at dynamicPeers\[0\].*whatever the link/),
    ]);
    const bound = { address: '::', interface: 'eth0' };
    expect(native([bound, { address: '::', port: 1790 }], two)).toEqual([expect.stringMatching(ONE_OF_TWO)]);
  });

  it('do not where each link has a socket of its own', () => {
    const sockets = ['eth0', 'eth1'].map((link) => ({ address: '::', interface: link }));
    expect(native([...sockets, { address: '0.0.0.0' }], two)).toEqual([]);
    const peers = [{ address: 'fe80::1%eth2', asn: 'internal' as const }];
    const [wanted, ...others] = native(sockets, { ...two, peers });
    expect(wanted).toMatch(/wants connections from fe80::1%eth2 signed/);
    expect(others).toEqual([]);
    expect(native(undefined, { ...two, peers })).toHaveLength(2);
    const signed = { address: 'fe80::1%eth1', asn: 'internal' as const, password: 'hush one' };
    const other = { address: 'fe80::9%eth0', asn: 'internal' as const };
    expect(native(sockets, { peers: [...peers, signed, other] })).toEqual([]);
    // Perhaps eth0 is a VRF.
    expect(native(sockets, { peers: [...peers, signed] })).toHaveLength(1);
    const same = {
      dynamicPeers: [range('eth0', { password: 'hush one' }), range('eth0', { password: 'hush two' })],
    };
    expect(() => native(sockets, same)).toThrow('overlaps');
  });

  it('clash on a socket that is bound to a VRF, as peers do', () => {
    const vrf = { address: '::', interface: 'vrf0' };
    expect(native([vrf], two)).toEqual([expect.stringMatching(ONE_OF_TWO)]);
    const peers = ['eth0', 'eth1'].map((link) => ({
      address: `fe80::1%${link}`,
      asn: 'internal' as const,
      password: `hush ${link}`,
    }));
    expect(native([vrf], { peers })).toEqual([expect.stringMatching(ONE_OF_TWO)]);
    const bound = { address: '::', interface: 'eth1' };
    expect(native([vrf, bound], { peers })).toEqual([expect.stringMatching(ONE_OF_TWO)]);
    expect(native([bound], { peers })).toEqual([]);
    expect(native([{ address: '0.0.0.0' }], { peers })).toEqual([]);
  });

  it('clash where one says its links with patterns', () => {
    const patterned = { ...range('eth1', { password: 'hush two' }), interface: undefined };
    const ranges = (...interfaces: string[]) => ({
      dynamicPeers: [range('eth0', { password: 'hush one' }), { ...patterned, interfaces }],
    });
    const sockets = ['eth0', 'eth1'].map((link) => ({ address: '::', interface: link }));
    expect(native(sockets, ranges('eth*'))).toEqual([expect.stringMatching(ONE_OF_TWO)]);
    expect(native(sockets, ranges('-eth0', 'eth*'))).toEqual([]);
  });

  it('clash with TCP-AO, too, and where one of them has TCP-MD5', () => {
    const both = (first: object, second: object) => ({
      dynamicPeers: [range('eth0', first), range('eth1', second)],
    });
    const clash = [expect.stringMatching(/other keys at dynamicPeers\[0\]/)];
    expect(native(undefined, both(ao('hush one'), ao('hush two')))).toEqual(clash);
    expect(native(undefined, both(ao('hush one'), { password: 'hush one' }))).toEqual(clash);
    expect(native(undefined, both(ao('hush one'), ao('hush one')))).toEqual([]);
  });
});

describe("in BIRD's language", () => {
  const bird = (...protocols: string[]) =>
    model(`router id 10.0.0.1; protocol device { } ${protocols.join(' ')}`).warnings.filter((text) =>
      text.includes('kernel'),
    );
  const on = (name: string, neighbor: string, more: string) =>
    `protocol bgp ${name} { direct; local as 1; neighbor ${neighbor} as 1; ${more} ipv6 { import all; }; }`;

  it('ranges of several interfaces clash', () => {
    const ranges = ['one', 'two'].map((word, i) =>
      on(word, 'range fe80::/10', `strict bind; interface range "eth${i}"; password "${word}-hush";`),
    );
    const [warning = '', ...others] = bird(...ranges);
    expect(warning).toMatch(/fe80::\/10 has another password at protocol one, and the kernel knows one/);
    expect(warning).not.toContain('hush');
    expect(others).toEqual([]);
    expect(bird(...ranges.map((text) => text.replace(/\w+-hush/, 'same')))).toEqual([]);
  });

  it('peers on several links do, unless each is bound to its own', () => {
    const peers = (more: (i: number) => string) =>
      ['one', 'two'].map((word, i) => on(word, `fe80::1%eth${i}`, `password "${word}-hush"; ${more(i)}`));
    expect(bird(...peers(() => ''))).toEqual([expect.stringMatching(/^.*fe80::1 has another password/)]);
    expect(bird(...peers((i) => `strict bind; local fe80::2%eth${i};`))).toEqual([]);
  });
});
