// TCP-AO without a kernel that has it: the octets of the structures as linux/tcp.h lays them out, which calls are made
// in which order, and that nobody goes on unsigned where the kernel cannot sign.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Libc, NativeSockets } from '../../../src/bgp/session/native-socket.ts';
import {
  AO_OPTION,
  type AoKey,
  aoAdd,
  aoChanges,
  aoDelete,
  aoRequire,
  preferredKey,
  sameAoKeys,
} from '../../../src/bgp/session/tcp-ao.ts';
import { TransportError } from '../../../src/bgp/session/transport.ts';
import { ip } from './harness.ts';

const key = (id: number, secret: string, use: AoKey['use'] = 'normal'): AoKey => ({
  sendId: id,
  receiveId: id + 100,
  algorithm: 'hmac-sha1',
  secret: { reveal: () => secret, octets: () => Buffer.from(secret) },
  use,
});

/** sockaddr_in of 192.0.2.7 on a little-endian machine. */
const SOCKADDR = Uint8Array.of(2, 0, 0, 0, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0);
const scope = { sockaddr: SOCKADDR, prefixLength: 32 };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the structures', () => {
  it('tcp_ao_add', () => {
    const bytes = aoAdd(scope, { ...key(5, 'sesame'), algorithm: 'cmac-aes128' }, true);
    expect(bytes.length).toBe(288);
    expect(hex(bytes)).toBe(
      [
        hex(SOCKADDR).padEnd(128 * 2, '0'),
        Buffer.from('cmac(aes128)')
          .toString('hex')
          .padEnd(64 * 2, '0'),
        '00000000', // ifindex
        '03000000', // set_current, set_rnext
        '0000', // reserved2
        '20', // prefix
        '05', // sndid
        '69', // rcvid
        '0c', // maclen
        '00', // keyflags
        '06', // keylen
        Buffer.from('sesame')
          .toString('hex')
          .padEnd(80 * 2, '0'),
      ].join(''),
    );
  });

  it('tcp_ao_del, with a key that takes over', () => {
    const bytes = aoDelete(scope, key(5, 'x'), key(6, 'y'));
    expect(hex(bytes)).toBe(
      [
        hex(SOCKADDR).padEnd(128 * 2, '0'),
        '00000000', // ifindex
        '03000000', // set_current, set_rnext
        '0000',
        '20', // prefix
        '05', // sndid
        '69', // rcvid
        '06', // current_key
        '6a', // rnext
        '00', // keyflags
      ].join(''),
    );
    expect(hex(aoDelete(scope, key(5, 'x'), undefined)).slice(132 * 2)).toBe('000000000000200569000000');
  });

  it('tcp_ao_info_opt', () => {
    expect(hex(aoRequire(key(5, 'x')))).toBe(`06000000000000${'69'}${'00'.repeat(40)}`);
    expect(hex(aoRequire(undefined))).toBe(`04000000${'00'.repeat(44)}`);
  });

  it('has no room for longer keys', () => {
    expect(() => aoAdd(scope, key(1, 'x'.repeat(81)), false)).toThrow(RangeError);
    expect(aoAdd(scope, key(1, 'x'.repeat(80)), false)[207]).toBe(80);
  });
});

describe('keys', () => {
  it('prefers what is preferred, then what is not deprecated', () => {
    expect(preferredKey([key(1, 'a'), key(2, 'b', 'preferred')])?.sendId).toBe(2);
    expect(preferredKey([key(1, 'a', 'deprecated'), key(2, 'b')])?.sendId).toBe(2);
    expect(preferredKey([key(1, 'a', 'deprecated')])).toBeUndefined();
  });

  it('changes lead from any set to any other, and none where they are equal', () => {
    const keys = fc.uniqueArray(
      fc.record({ id: fc.integer({ min: 0, max: 5 }), secret: fc.constantFrom('a', 'b') }),
      {
        selector: ({ id }) => id,
      },
    );
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const before = a.map(({ id, secret }) => key(id, secret));
        const after = b.map(({ id, secret }) => key(id, secret));
        const { added, removed } = aoChanges(before, after);
        const texts = (list: readonly AoKey[]) =>
          list.map((each) => `${each.sendId} ${each.secret.reveal()}`);
        const left = texts(before).filter((text) => !texts(removed).includes(text));
        expect([...left, ...texts(added)].sort()).toEqual(texts(after).sort());
        expect(aoChanges(after, after)).toEqual({ added: [], removed: [] });
        if (sameAoKeys(before, after)) expect([added, removed]).toEqual([[], []]);
      }),
    );
  });
});

const ENOENT = 2;
const EBUSY = 16;
const EEXIST = 17;
const ENOPROTOOPT = 92;

/** A libc that writes down what it is asked; `answer` gives an errno, 0 for none. */
function fakeLibc(answer: (name: number, value: Uint8Array) => number) {
  const calls: { name: number; value: string }[] = [];
  let errno = 0;
  let opened = 100;
  const open = new Set<number>();
  const option = (_fd: number, level: number, name: number, value: Uint8Array): number => {
    if (level !== 6) return 0;
    errno = answer(name, value);
    calls.push({ name, value: hex(value) });
    return errno === 0 ? 0 : -1;
  };
  const libc: Libc = {
    socket: () => {
      open.add(++opened);
      return opened;
    },
    setsockopt: option,
    getsockopt: option,
    bind: () => 0,
    close: (fd) => (open.delete(fd) ? 0 : -1),
    ifNameToIndex: () => 1,
    ifIndexToName: () => null,
    getpeername: () => -1,
    errno: () => errno,
  };
  return { sockets: new NativeSockets(libc), calls, open };
}

const dialOptions = (tcpAo: readonly AoKey[]) => ({
  remote: { address: ip('192.0.2.7') },
  local: { address: undefined, port: 0 },
  interface: undefined,
  ttl: undefined,
  minTtl: undefined,
  password: undefined,
  tcpAo,
});

describe('a kernel with TCP-AO', () => {
  it('is asked once, and gets all keys before the dial, the preferred one as the first to use', () => {
    const { sockets, calls } = fakeLibc(() => 0);
    const keys = [key(1, 'old', 'deprecated'), key(2, 'new', 'preferred')];
    sockets.dialer(dialOptions(keys));
    sockets.dialer(dialOptions(keys));
    const expected = keys.map((each, i) => ({
      name: AO_OPTION.addKey,
      value: hex(aoAdd(scope, each, i === 1)),
    }));
    // The first of all is the question.
    expect(calls.slice(1)).toEqual([...expected, ...expected]);
    expect(calls[0]!.value).toContain(Buffer.from('probe').toString('hex'));
  });

  it('exchanges keys of a connection: additions, then what is asked for, then removals', () => {
    let removals = 0;
    // The old key is in use.
    const { sockets, calls } = fakeLibc((name) =>
      name === AO_OPTION.deleteKey && removals++ === 0 ? EBUSY : 0,
    );
    const [one, two] = [key(1, 'one'), key(2, 'two')];
    sockets.ao.change(9, ip('192.0.2.7'), [one], [two]);
    expect(calls.slice(1)).toEqual([
      { name: AO_OPTION.addKey, value: hex(aoAdd(scope, two, false)) },
      { name: AO_OPTION.info, value: '00'.repeat(48) },
      { name: AO_OPTION.info, value: hex(aoRequire(two)) },
      { name: AO_OPTION.deleteKey, value: hex(aoDelete(scope, one, undefined)) },
      { name: AO_OPTION.deleteKey, value: hex(aoDelete(scope, one, two)) },
    ]);
  });

  it('refuses an accepted connection that came without', () => {
    const { sockets } = fakeLibc((name) => (name === AO_OPTION.info ? ENOENT : 0));
    expect(() => sockets.ao.require(9, [key(1, 'a')])).toThrow(/not signed with TCP-AO/);
  });

  it('replaces what a listener of another process has', () => {
    let adds = 0;
    // The first one is the question.
    const { sockets, calls } = fakeLibc((name) => (name === AO_OPTION.addKey && adds++ === 1 ? EEXIST : 0));
    const one = key(1, 'one');
    sockets.ao.changeFor(9, { bytes: ip('192.0.2.7'), length: 32 }, [], [one]);
    const added = { name: AO_OPTION.addKey, value: hex(aoAdd(scope, one, false)) };
    const removed = { name: AO_OPTION.deleteKey, value: hex(aoDelete(scope, one, undefined)) };
    expect(calls.slice(1)).toEqual([added, removed, added]);
  });

  it('takes a prefix for a listener', () => {
    const { sockets, calls } = fakeLibc(() => 0);
    sockets.ao.changeFor(9, { bytes: ip('192.0.2.0'), length: 24 }, [], [key(1, 'a')]);
    const octets = Buffer.from(calls[1]!.value, 'hex');
    expect([...octets.subarray(4, 8), octets[202]]).toEqual([192, 0, 2, 0, 24]);
  });
});

describe('a kernel without TCP-AO', () => {
  it('says what to do, and leaves nothing open', () => {
    const { sockets, open, calls } = fakeLibc(() => ENOPROTOOPT);
    const dial = () => sockets.dialer(dialOptions([key(1, 'sesame')]));
    expect(dial).toThrow(TransportError);
    expect(dial).toThrow(
      'this kernel has no TCP-AO: boot Linux 6.7 or later built with CONFIG_TCP_AO, or use password (TCP-MD5) ' +
        'on both sides; without it there is no session',
    );
    expect(open.size).toBe(0);
    expect(calls.map(({ name }) => name)).toEqual([AO_OPTION.addKey]);
    expect(() => sockets.ao.require(9, [key(1, 'a')])).toThrow(/no TCP-AO/);
  });

  it('is no obstacle to those who do not want it', () => {
    const { sockets, calls } = fakeLibc(() => ENOPROTOOPT);
    sockets.dialer({ ...dialOptions([]), tcpAo: undefined });
    sockets.ao.changeFor(9, { bytes: ip('192.0.2.0'), length: 24 }, [], []);
    expect(calls).toEqual([]);
  });
});
