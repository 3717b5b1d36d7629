import { expect, test } from 'vitest';
import { PeerDirectory } from '../../../src/bgp/session/peer-directory.ts';
import { formatPrefix, parsePrefix } from '../../../src/lib/ip.ts';
import { ip } from './harness.ts';

const NO_AUTHENTICATION = { password: undefined };

/** Ranges that admit nobody: the refusal says which of them was asked. */
function asked(ranges: readonly (readonly [prefix: string, link?: string])[]) {
  const directory = new PeerDirectory();
  for (const [text, link] of ranges) {
    const prefix = parsePrefix(text)!;
    const name = link === undefined ? formatPrefix(prefix) : `${formatPrefix(prefix)}%${link}`;
    const admit = () => undefined;
    directory.addRange({
      ...NO_AUTHENTICATION,
      name,
      prefix,
      takesFrom: (zone) => zone === link,
      limit: 1,
      admit,
    });
  }
  return (address: string, zone?: string) =>
    directory.find(
      { address: ip('::'), port: 179 },
      { address: ip(address), port: 1025, ...(zone === undefined ? {} : { zone }) },
    );
}

test('a link-local caller falls into the range of its interface', () => {
  const find = asked([
    ['fe80::/10', 'eth1'],
    ['fe80::/10', 'eth2'],
  ]);
  expect(find('fe80::1', 'eth1')).toEqual({ refused: 'fe80::/10%eth1 does not admit it' });
  expect(find('fe80::1', 'eth2')).toEqual({ refused: 'fe80::/10%eth2 does not admit it' });
  expect(find('fe80::1', 'eth3')).toEqual({ refused: 'no such peer is configured' });
});

test('the longest prefix is asked, wherever a caller without an interface comes from', () => {
  const find = asked([['10.0.0.0/8'], ['10.1.0.0/16', 'eth1']]);
  expect(find('10.1.0.1')).toEqual({ refused: '10.1.0.0/16%eth1 does not admit it' });
  expect(find('10.2.0.1')).toEqual({ refused: '10.0.0.0/8 does not admit it' });
});
