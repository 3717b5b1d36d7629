// The real transport on loopback: what the kernel does with keys, TTLs and refused dials, and what comes of a peer
// on top of it. Waits for events, never for time.

import { afterEach, describe, expect, it } from 'vitest';
import { ListenerSet } from '../../../src/bgp/session/listener.ts';
import { loadNativeSockets } from '../../../src/bgp/session/native-socket.ts';
import { Peer } from '../../../src/bgp/session/peer.ts';
import { TcpTransport } from '../../../src/bgp/session/tcp-transport.ts';
import type {
  ConnectOptions,
  TransportError,
  TransportListener,
  TransportSocket,
} from '../../../src/bgp/session/transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { parsePrefix } from '../../../src/lib/ip.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { ownPort } from '../../support/own-port.ts';
import { EMPTY_UPDATE, ip, type OptionChanges, peerOptions, Recorder } from './harness.ts';

const native = loadNativeSockets();
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A socket with promises for what happens to it. */
class Watched {
  socket: TransportSocket | undefined;
  received = '';
  chunks = 0;
  readonly #waiting: { holds: () => boolean; resolve: () => void }[] = [];
  connected = false;
  ended = false;
  closed = false;
  error: TransportError | undefined;

  readonly handlers = {
    onConnect: () => {
      this.connected = true;
      this.#check();
    },
    onData: (buffer: Uint8Array, length: number) => {
      this.received += Buffer.from(buffer.subarray(0, length)).toString('latin1');
      this.chunks++;
      this.#check();
    },
    onEnd: () => {
      this.ended = true;
      this.#check();
    },
    onClose: (error: TransportError | undefined) => {
      this.closed = true;
      this.error = error;
      this.#check();
    },
  };

  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }

  #check(): void {
    for (const waiter of this.#waiting) if (waiter.holds()) waiter.resolve();
  }
}

function listen(transport: TcpTransport, address: string, onAccept: (socket: TransportSocket) => void) {
  return new Promise<TransportListener>((resolve, reject) => {
    const listener = transport.listen(
      { address: ip(address), port: 0, interface: undefined },
      { onListening: () => resolve(listener), onAccept, onError: reject },
    );
    cleanups.push(() => listener.close());
  });
}

function dial(
  transport: TcpTransport,
  address: string,
  port: number,
  changes: Partial<ConnectOptions> = {},
): Watched {
  const watched = new Watched();
  watched.socket = transport.connect(
    {
      remote: { address: ip(address), port },
      local: { address: undefined, port: 0 },
      interface: undefined,
      ttl: undefined,
      minTtl: undefined,
      password: undefined,
      ...changes,
    },
    watched.handlers,
  );
  cleanups.push(() => watched.socket?.destroy());
  return watched;
}

/** Both ends of a connection; the accepted one is attached, after `prepare`. */
async function connected(
  transport: TcpTransport,
  address: string,
  changes: Partial<ConnectOptions> = {},
  prepare: (socket: TransportSocket) => void = () => {},
) {
  const server = new Watched();
  const accepted = new Promise<void>((resolve) => {
    void listen(transport, address, (socket) => {
      server.socket = socket;
      prepare(socket);
      socket.attach(server.handlers);
      cleanups.push(() => socket.destroy());
      resolve();
    }).then((listener) => {
      client = dial(transport, address, listener.port, changes);
    });
  });
  let client = new Watched();
  await accepted;
  await client.until(() => client.connected);
  return { client, server };
}

const text = (value: string) => Buffer.from(value, 'latin1');
const secret = (value: string) => ({ reveal: () => value });

const transports = [
  { name: 'plain node:net', make: () => new TcpTransport(null) },
  ...(native === undefined ? [] : [{ name: 'native sockets', make: () => new TcpTransport(native) }]),
];

describe.each(transports)('TCP over $name', ({ make }) => {
  it.each(['127.0.0.9', '::1'])('carries octets both ways over %s, and FIN', async (address) => {
    const { client, server } = await connected(make(), address);
    expect(client.socket?.remote.address).toEqual(ip(address));
    expect(client.socket?.local.port).toBe(server.socket?.remote.port);
    await new Promise<void>((done) =>
      client.socket?.write([text('one '), text('two '), text('three')], done),
    );
    await server.until(() => server.received === 'one two three');
    server.socket?.write([text('answer')], () => {});
    await client.until(() => client.received === 'answer');
    client.socket?.end();
    await server.until(() => server.ended);
    server.socket?.end();
    await client.until(() => client.closed);
    expect(client.error).toBeUndefined();
  });

  it('dials from the configured address', async () => {
    const local = { address: ip('127.0.0.8'), port: 0 };
    const { server } = await connected(make(), '127.0.0.9', { local });
    expect(server.socket?.remote.address).toEqual(ip('127.0.0.8'));
  });

  it('reports a refused dial as ECONNREFUSED, after connect() has returned', async () => {
    const transport = make();
    const listener = await listen(transport, '127.0.0.9', () => {});
    const { port } = listener;
    listener.close();
    const client = dial(transport, '127.0.0.9', port);
    expect(client.closed).toBe(false);
    await client.until(() => client.closed);
    expect(client.error?.code).toBe('ECONNREFUSED');
    expect(client.connected).toBe(false);
  });

  it('reports an address that is not there', async () => {
    const local = { address: ip('192.0.2.77'), port: 0 };
    const client = dial(make(), '127.0.0.9', 9, { local });
    await client.until(() => client.closed);
    expect(client.error?.code).toBe('EADDRNOTAVAIL');
  });

  it('reports a port that cannot be, once', async () => {
    const client = dial(make(), '127.0.0.9', 70_000);
    let closes = 0;
    const { onClose } = client.handlers;
    client.handlers.onClose = (error) => {
      closes++;
      onClose(error);
    };
    await client.until(() => client.closed);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect([client.error?.code, closes]).toEqual(['ERR_SOCKET_BAD_PORT', 1]);
  });

  it('reports a port that is taken', async () => {
    const transport = make();
    const { port } = await listen(transport, '127.0.0.9', () => {});
    const error = await new Promise<TransportError>((resolve, reject) => {
      transport.listen(
        { address: ip('127.0.0.9'), port, interface: undefined },
        { onListening: () => reject(new Error('listens')), onAccept() {}, onError: resolve },
      );
    });
    expect(error.code).toBe('EADDRINUSE');
  });

  it('a listener that is closed at once never listens', async () => {
    const transport = make();
    const { port } = await listen(transport, '127.0.0.9', () => {});
    const heard: string[] = [];
    const closed = transport.listen(
      { address: ip('127.0.0.8'), port, interface: undefined },
      { onListening: () => heard.push('listening'), onAccept() {}, onError: ({ code }) => heard.push(code) },
    );
    closed.close();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    // The place is free for another.
    const outcome = await new Promise<string>((resolve) => {
      const next = transport.listen(
        { address: ip('127.0.0.8'), port, interface: undefined },
        { onListening: () => resolve('listening'), onAccept() {}, onError: ({ code }) => resolve(code) },
      );
      cleanups.push(() => next.close());
    });
    expect([outcome, heard]).toEqual(['listening', []]);
  });

  it('a paused reader gets nothing until it resumes, and then everything', async () => {
    const { client, server } = await connected(make(), '127.0.0.9');
    server.socket?.write([text('a')], () => {});
    await client.until(() => client.received === 'a');
    client.socket?.pause();
    const chunk = new Uint8Array(1024 * 1024).fill(98);
    let written = 0;
    for (let i = 0; i < 8; i++) {
      await new Promise<void>((done) => {
        server.socket?.write([chunk], () => {
          written++;
          done();
        });
        // What the kernel does not take now it takes after the resume.
        setImmediate(done);
      });
      if (written <= i) break;
    }
    expect(client.received).toBe('a');
    client.socket?.resume();
    await client.until(() => client.received.length > 1024 * 1024);
  });

  it('destroy by the peer is an end or a reset, and then a close', async () => {
    const { client, server } = await connected(make(), '127.0.0.9');
    server.socket?.destroy();
    await client.until(() => client.ended || client.closed);
    client.socket?.destroy();
    await client.until(() => client.closed);
  });
});

describe('without the native door', () => {
  it.each([
    ['password', { password: secret('x') }],
    ['ttlSecurity', { minTtl: 255 }],
    ['multihop', { ttl: 1 }],
    ['interface', { interface: 'lo' }],
  ])('an option that needs it fails by name: %s', async (name, changes) => {
    const client = dial(new TcpTransport(null), '127.0.0.9', 179, changes);
    await client.until(() => client.closed);
    expect(client.error?.code).toBe('ENOTSUP');
    expect(client.error?.message).toContain(name);
  });
});

describe.skipIf(native === undefined)('native options', () => {
  const transport = new TcpTransport(native);

  it('2385-2-1: the right key connects; a wrong or missing one is not answered', async () => {
    const accepted: TransportSocket[] = [];
    const listener = await listen(transport, '127.0.0.9', (socket) => accepted.push(socket));
    listener.setPassword(parsePrefix('127.0.0.8/32')!, secret('s3cret'));
    const local = { address: ip('127.0.0.8'), port: 0 };
    const wrong = dial(transport, '127.0.0.9', listener.port, { local, password: secret('other') });
    const missing = dial(transport, '127.0.0.9', listener.port, { local });
    const right = dial(transport, '127.0.0.9', listener.port, { local, password: secret('s3cret') });
    await right.until(() => right.connected);
    expect([wrong.connected, missing.connected]).toEqual([false, false]);
    expect(accepted).toHaveLength(1);
  });

  it('2385-2-1: keys for prefixes, changed and removed while listening', async () => {
    const listener = await listen(transport, '::1', () => {});
    const prefix = parsePrefix('::/64')!;
    const tryKey = async (key: string | undefined) => {
      const client = dial(transport, '::1', listener.port, {
        password: key === undefined ? undefined : secret(key),
      });
      await client.until(() => client.connected);
    };
    listener.setPassword(prefix, secret('one'));
    await tryKey('one');
    listener.setPassword(prefix, secret('two'));
    await tryKey('two');
    listener.setPassword(prefix, undefined);
    listener.setPassword(prefix, undefined);
    await tryKey(undefined);
  });

  it('a key over 80 octets is an error, not a truncation', async () => {
    const listener = await listen(transport, '127.0.0.9', () => {});
    expect(() => listener.setPassword(parsePrefix('127.0.0.8/32')!, secret('x'.repeat(81)))).toThrow(
      'longer than 80 octets',
    );
  });

  it.each(['127.0.0.9', '::1'])('5082-3-1: packets below the TTL range are dropped (%s)', async (address) => {
    const gtsm = (socket: TransportSocket) =>
      socket.configure({ ttl: 255, minTtl: 255, password: undefined });
    const near = await connected(transport, address, { ttl: 255, minTtl: 255 }, gtsm);
    await new Promise<void>((done) => near.client.socket?.write([text('near')], done));
    await near.server.until(() => near.server.received === 'near');

    const far = await connected(transport, address, { ttl: 254 }, gtsm);
    far.client.socket?.write([text('far')], () => {});
    // What is sent after it on another connection arrives; this does not.
    await new Promise<void>((done) => near.client.socket?.write([text('!')], done));
    await near.server.until(() => near.server.received === 'near!');
    expect(far.server.received).toBe('');
  });

  it('5082-3-1: a peer with GTSM can be called: SYN-ACKs leave with TTL 255', async () => {
    const { client } = await connected(transport, '127.0.0.9', { ttl: 255, minTtl: 255 });
    expect(client.connected).toBe(true);
  });

  it('binds to an interface, and names one that is not there', async () => {
    const { client } = await connected(transport, '127.0.0.9', { interface: 'lo' });
    expect(client.connected).toBe(true);
    const nowhere = dial(transport, '127.0.0.9', 179, { interface: 'nosuch0' });
    await nowhere.until(() => nowhere.closed);
    expect(nowhere.error?.code).toBe('ENODEV');
  });

  it.each(['fe80::2', undefined])(
    'names the interface of a link-local address that is not there, from %s',
    async (own) => {
      const remote = { address: ip('fe80::1'), port: 179, zone: 'nosuch0' };
      const local = { address: own === undefined ? undefined : ip(own), port: 0 };
      const client = dial(transport, '::1', 179, { remote, local });
      await client.until(() => client.closed);
      expect(client.error?.message).toContain('no interface nosuch0');
    },
  );

  it('serves hundreds of connections from one receive buffer', async () => {
    const servers: Watched[] = [];
    const listener = await listen(transport, '127.0.0.9', (socket) => {
      const server = new Watched();
      server.socket = socket;
      servers.push(server);
      socket.attach(server.handlers);
      cleanups.push(() => socket.destroy());
    });
    const clients = Array.from({ length: 300 }, () => dial(transport, '127.0.0.9', listener.port));
    await Promise.all(clients.map((client) => client.until(() => client.connected)));
    for (const [i, client] of clients.entries()) client.socket?.write([text(`from ${i}.`)], () => {});
    await new Promise<void>((resolve) => {
      const look = () => (servers.every((s) => s.received.endsWith('.')) ? resolve() : setImmediate(look));
      look();
    });
    expect(new Set(servers.map((server) => server.received)).size).toBe(300);
  });
});

/** A peer with its own listener on a loopback address. */
function speaker(address: string, events: Recorder, remote: string, changes: OptionChanges) {
  const transport = new TcpTransport();
  const listeners = new ListenerSet({ clock: systemClock, transport, log: silentLogger });
  const peer = new Peer(peerOptions(remote, { localAddress: ip(address), ...changes }), {
    clock: systemClock,
    random: Math.random,
    transport,
    log: silentLogger,
    events,
  });
  listeners.add(peer);
  cleanups.push(() => {
    peer.stop();
    listeners.closeAll();
  });
  return { peer, listeners };
}

function signal(): { done: Promise<void>; fire: () => void } {
  let fire = () => {};
  const done = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { done, fire };
}

describe('two peers over real TCP', () => {
  const [PORT_A, PORT_B] = [ownPort(0), ownPort(1)];

  interface Case {
    readonly name: string;
    readonly left: string;
    readonly right: string;
    readonly changes: OptionChanges;
  }
  const plain: Case[] = [
    { name: 'IPv4', left: '127.0.1.1', right: '127.0.1.2', changes: {} },
    { name: 'IPv6', left: '::1', right: '::1', changes: {} },
  ];
  const secured: Case = {
    name: 'MD5 and GTSM',
    left: '127.0.1.3',
    right: '127.0.1.4',
    changes: { password: secret('k'), ttlSecurity: 1 },
  };
  const cases = native === undefined ? plain : [...plain, secured];

  it.each(cases)(
    'establish over $name, exchange UPDATEs and say goodbye',
    async ({ left, right, changes }) => {
      const [up, down] = [signal(), signal()];
      const [a, b] = [new Recorder(), new Recorder()];
      b.onUpHook = (session) => session.send([EMPTY_UPDATE]);
      a.onUpdateHook = () => up.fire();
      const speakerA = speaker(left, a, right, { ...changes, remotePort: PORT_B, routerId: 1 });
      const speakerB = speaker(right, b, left, {
        ...changes,
        remotePort: PORT_A,
        routerId: 2,
        passive: true,
      });
      const opened = signal();
      speakerB.listeners.open({ address: ip(right), port: PORT_B, interface: undefined });
      setImmediate(() => setImmediate(opened.fire));
      await opened.done;
      speakerB.peer.start();
      speakerA.peer.start();
      await up.done;
      expect([speakerA.peer.state, speakerB.peer.state]).toEqual(['Established', 'Established']);
      b.onDown = (_session, reason) => {
        b.downs.push(reason);
        down.fire();
      };
      speakerA.peer.stop({ subcode: 2, text: 'bye' });
      await down.done;
      expect(b.downs[0]?.sentence).toContain('received Cease/Administrative Shutdown: "bye" (6/2)');
    },
  );

  it('a NOTIFICATION arrives though its sender had paused reading with octets unread', async () => {
    const [up, down] = [signal(), signal()];
    const [a, b] = [new Recorder(), new Recorder()];
    const chunk = new Uint8Array(EMPTY_UPDATE.length * 20_000);
    for (let i = 0; i < chunk.length; i += EMPTY_UPDATE.length) chunk.set(EMPTY_UPDATE, i);
    a.onUpHook = (session) => session.send(Array.from({ length: 20 }, () => chunk));
    b.onUpdateHook = (session) => {
      session.pauseReading();
      up.fire();
    };
    a.onDown = (_session, reason) => {
      a.downs.push(reason);
      down.fire();
    };
    const left = speaker('127.0.1.5', a, '127.0.1.6', { remotePort: PORT_B, routerId: 1 });
    const right = speaker('127.0.1.6', b, '127.0.1.5', { remotePort: PORT_A, routerId: 2, passive: true });
    right.listeners.open({ address: ip('127.0.1.6'), port: PORT_B, interface: undefined });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    right.peer.start();
    left.peer.start();
    await up.done;
    right.peer.stop({ subcode: 2, text: 'full' });
    await down.done;
    expect(a.downs[0]?.sentence).toContain('received Cease/Administrative Shutdown: "full" (6/2)');
  });
});
