// TCP-AO and the kernel that there is: where it has TCP-AO, connections are signed with it; where it has not, there is
// none that goes on without.

import { afterEach, describe, expect, it } from 'vitest';
import { loadNativeSockets } from '../../../src/bgp/session/native-socket.ts';
import type { AoKey } from '../../../src/bgp/session/tcp-ao.ts';
import { TcpTransport } from '../../../src/bgp/session/tcp-transport.ts';
import {
  type SocketOptions,
  TransportError,
  type TransportListener,
  type TransportSocket,
} from '../../../src/bgp/session/transport.ts';
import { parsePrefix } from '../../../src/lib/ip.ts';
import { ip } from './harness.ts';

const SERVER = '127.0.0.19';
const CLIENT = '127.0.0.18';
const native = loadNativeSockets();
const transport = new TcpTransport(native ?? null);
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const keys = (secret: string): readonly AoKey[] => [
  {
    sendId: 1,
    receiveId: 1,
    algorithm: 'hmac-sha1',
    secret: { reveal: () => secret, octets: () => Buffer.from(secret) },
    use: 'normal',
  },
];
const options = (tcpAo: readonly AoKey[] | undefined): SocketOptions => ({
  ttl: undefined,
  minTtl: undefined,
  password: undefined,
  tcpAo,
});

function kernelSigns(): boolean {
  if (native === undefined) return false;
  try {
    const remote = { address: ip(SERVER) };
    const local = { address: undefined, port: 0 };
    native.close(native.dialer({ remote, local, interface: undefined, ...options(keys('x')) }));
    return true;
  } catch (error) {
    if (error instanceof TransportError && error.code === 'ENOPROTOOPT') return false;
    throw error;
  }
}

function listen(onAccept: (socket: TransportSocket) => void): Promise<TransportListener> {
  return new Promise((resolve, reject) => {
    const listener = transport.listen(
      { address: ip(SERVER), port: 0, interface: undefined },
      { onListening: () => resolve(listener), onAccept, onError: reject },
    );
    cleanups.push(() => listener.close());
  });
}

/** `up`, or the error. */
function dial(port: number, tcpAo: readonly AoKey[] | undefined): Promise<'up' | TransportError | undefined> {
  return new Promise((resolve) => {
    const ends = { remote: { address: ip(SERVER), port }, local: { address: ip(CLIENT), port: 0 } };
    const socket = transport.connect(
      { ...ends, interface: undefined, ...options(tcpAo) },
      { onConnect: () => resolve('up'), onData: () => {}, onEnd: () => {}, onClose: resolve },
    );
    cleanups.push(() => socket.destroy());
  });
}

const PREFIX = parsePrefix(`${CLIENT}/32`)!;
const signs = kernelSigns();

describe.skipIf(native === undefined || signs)('on a kernel without TCP-AO', () => {
  it('nothing is dialled', async () => {
    const listener = await listen(() => {});
    const outcome = await dial(listener.port, keys('one'));
    expect(outcome).toMatchObject({ code: 'ENOPROTOOPT', message: expect.stringContaining('CONFIG_TCP_AO') });
  });

  it('nothing is accepted', async () => {
    const outcomes: unknown[] = [];
    const listener = await listen((socket) => {
      try {
        socket.configure(options(keys('one')));
        outcomes.push('went on');
      } catch (error) {
        outcomes.push(error);
      }
      socket.destroy();
    });
    expect(() => listener.setAoKeys(PREFIX, [], keys('one'))).toThrow('this kernel has no TCP-AO');
    await dial(listener.port, undefined);
    while (outcomes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(outcomes).toEqual([expect.any(TransportError)]);
  });
});

describe.skipIf(!signs)('on a kernel with TCP-AO', () => {
  it('the right keys connect, others and none are not answered, and keys change under a connection', async () => {
    const accepted: TransportSocket[] = [];
    const listener = await listen((socket) => {
      socket.configure(options(keys('one')));
      accepted.push(socket);
    });
    listener.setAoKeys(PREFIX, [], keys('one'));
    const outcomes: unknown[] = [];
    for (const wrong of [keys('two'), undefined]) {
      void dial(listener.port, wrong).then((outcome) => outcomes.push(outcome));
    }
    expect(await dial(listener.port, keys('one'))).toBe('up');
    expect([accepted.length, outcomes]).toEqual([1, []]);
    const next: AoKey = { ...keys('next')[0]!, sendId: 2, receiveId: 2, use: 'preferred' };
    accepted[0]!.configure(options([...keys('one'), next]));
    expect(() => accepted[0]!.configure(options(undefined))).toThrow(TransportError);
  });
});
