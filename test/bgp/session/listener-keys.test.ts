// The keys on a listener's socket are those of the peers and ranges that are there, whatever came, went and changed.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ListenerSet } from '../../../src/bgp/session/listener.ts';
import type { Peer } from '../../../src/bgp/session/peer.ts';
import type { DynamicRange } from '../../../src/bgp/session/peer-directory.ts';
import type { Transport } from '../../../src/bgp/session/transport.ts';
import { formatPrefix, parsePrefix } from '../../../src/lib/ip.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { ip, peerOptions, Recorder, World } from './harness.ts';

const LISTENER = { address: ip('0.0.0.0'), port: 179, interface: undefined };
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '2001:db8::1'];
const PREFIXES = ['10.0.0.0/24', '10.0.0.1/32'];

function lab() {
  const world = new World();
  const maker = world.speaker('10.9.9.9');
  /** By prefix. */
  const keys = new Map<string, string>();
  let calls = 0;
  const transport: Transport = {
    connect: () => {
      throw new Error('nobody dials');
    },
    listen: () => ({
      port: 179,
      setPassword: (prefix, password) => {
        calls++;
        const name = formatPrefix(prefix);
        if (password === undefined) keys.delete(name);
        else keys.set(name, password.reveal());
      },
      setAoKeys: () => {},
      close: () => keys.clear(),
    }),
  };
  const listeners = new ListenerSet({ clock: world.clock, transport, log: silentLogger });
  const peer = (address: string, password: string | undefined) =>
    maker.make(peerOptions(address, { passive: true, password: secret(password) }), new Recorder());
  return { listeners, keys, peer, calls: () => calls };
}

function secret(text: string | undefined) {
  return text === undefined ? undefined : { reveal: () => text };
}

const password = fc.constantFrom('one', 'two', undefined);
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), address: fc.constantFrom(...ADDRESSES), password }),
  fc.record({ kind: fc.constant('change' as const), at: fc.nat({ max: 3 }), password }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constant('range' as const), prefix: fc.constantFrom(...PREFIXES), password }),
  fc.record({ kind: fc.constant('unrange' as const), at: fc.nat({ max: 1 }) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);

it('follow every peer and range; of one prefix the latest peer has its way, then the range', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { listeners, keys, peer } = lab();
      listeners.open(LISTENER);
      /** In the order in which they were filed last. */
      let peers: Peer[] = [];
      let ranges: DynamicRange[] = [];
      for (const each of steps) {
        if (each.kind === 'add') {
          const added = peer(each.address, each.password);
          peers.push(added);
          listeners.add(added);
        } else if (each.kind === 'range' && !ranges.some(({ name }) => name === each.prefix)) {
          const prefix = parsePrefix(each.prefix)!;
          const range = {
            name: each.prefix,
            prefix,
            limit: 1,
            password: secret(each.password),
            admit: () => undefined,
          };
          ranges.push(range);
          listeners.addRange(range);
        } else if (each.kind === 'reopen') {
          listeners.close(LISTENER);
          listeners.open(LISTENER);
        } else if (each.kind === 'unrange' && ranges[each.at] !== undefined) {
          const range = ranges[each.at]!;
          ranges = ranges.filter((other) => other !== range);
          listeners.removeRange(range);
        } else if ((each.kind === 'change' || each.kind === 'remove') && peers[each.at] !== undefined) {
          const chosen = peers[each.at]!;
          peers = peers.filter((other) => other !== chosen);
          if (each.kind === 'remove') listeners.remove(chosen);
          else {
            chosen.replaceOptions({ ...chosen.options, password: secret(each.password) });
            peers.push(chosen);
            listeners.refresh(chosen);
          }
        }
        const wanted = new Map<string, string>();
        for (const { prefix, password: key } of ranges) {
          if (key !== undefined) wanted.set(formatPrefix(prefix), key.reveal());
        }
        for (const { options } of peers) {
          const { bytes } = options.remoteAddress;
          if (options.password === undefined || bytes.length === 16) continue;
          wanted.set(formatPrefix({ bytes, length: 32 }), options.password.reveal());
        }
        expect(keys).toEqual(wanted);
      }
    }),
  );
});

it('cost one step for a peer that changes, however many others there are', () => {
  const { listeners, peer, calls } = lab();
  const peers = Array.from({ length: 200 }, (_, i) => peer(`10.1.0.${i}`, 'one'));
  /** How often the keys of any peer were looked at. */
  let looked = 0;
  for (const each of peers) {
    const { options } = each;
    const get = () => {
      looked++;
      return options;
    };
    Object.defineProperty(each, 'options', { get });
    listeners.add(each);
  }
  listeners.open(LISTENER);
  expect(calls()).toBe(peers.length);
  looked = 0;
  for (const each of peers) listeners.refresh(each);
  expect(calls()).toBe(peers.length);
  expect(looked).toBeLessThan(10 * peers.length);
});

it('of a link-local prefix are those of the link that the socket is bound to', () => {
  const { listeners, keys, peer } = lab();
  const prefix = parsePrefix('fe80::/10')!;
  const range = (link: string, key: string): DynamicRange => ({
    name: link,
    prefix,
    takesFrom: (name) => name === link,
    limit: 1,
    password: secret(key),
    admit: () => undefined,
  });
  for (const [i, link] of ['eth1', 'eth2'].entries()) {
    listeners.addRange(range(link, `range ${i}`));
    const linkLocal = peer('fe80::1', `peer ${i}`);
    const { options } = linkLocal;
    linkLocal.replaceOptions({ ...options, remoteAddress: { ...options.remoteAddress, zone: link } });
    listeners.add(linkLocal);
    listeners.add(peer('2001:db8::1', 'anywhere'));
  }
  const socket = { address: ip('::'), port: 179 };
  const onSocket = (link: { interface: string | undefined; zone?: string }) => {
    listeners.open({ ...socket, ...link });
    const found = Object.fromEntries(keys);
    listeners.close({ ...socket, ...link });
    return found;
  };
  const of = (i: number) => ({
    'fe80::/10': `range ${i}`,
    'fe80::1/128': `peer ${i}`,
    '2001:db8::1/128': 'anywhere',
  });
  expect(onSocket({ interface: 'eth1' })).toEqual(of(0));
  expect(onSocket({ interface: undefined, zone: 'eth1' })).toEqual(of(0));
  expect(onSocket({ interface: 'eth2' })).toEqual(of(1));
  expect(onSocket({ interface: undefined })).toEqual(of(1));
  // The links of a VRF have other names.
  expect(onSocket({ interface: 'vrf1' })).toEqual(of(1));
  const plain = peer('fe80::1', undefined);
  plain.replaceOptions({ ...plain.options, remoteAddress: { ...plain.options.remoteAddress, zone: 'eth3' } });
  listeners.add(plain);
  const { 'fe80::1/128': _, ...others } = of(1);
  expect(onSocket({ interface: 'eth3' })).toEqual(others);
});
