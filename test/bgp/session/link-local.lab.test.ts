// Link-local peers over a real link: fe80::...%interface on both ends of a veth pair inside one namespace.

import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenerSet } from '../../../src/bgp/session/listener.ts';
import { Peer } from '../../../src/bgp/session/peer.ts';
import { TcpTransport } from '../../../src/bgp/session/tcp-transport.ts';
import { BGP_PORT } from '../../../src/bgp/wire/iana.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { formatAddress, parsePrefix } from '../../../src/lib/ip.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { NetNamespace } from '../../support/net-namespace.ts';
import { ip, type OptionChanges, peerOptions, Recorder } from './harness.ts';

const PATIENCE_MS = 15_000;
const POLL_MS = 50;
const LEFT = 'fe80::1';
const RIGHT = 'fe80::2';

const possible = process.getuid?.() === 0 && spawnSync('unshare', ['-n', 'true']).status === 0;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** One namespace with both ends of the link, and this thread inside it: zones are looked up where one is. */
function link(): NetNamespace {
  const namespace = new NetNamespace(`gws-ll-${process.pid}`, []);
  cleanups.push(() => namespace.remove());
  namespace.run('ip', 'link', 'add', 'gwl', 'type', 'veth', 'peer', 'name', 'gwr');
  for (const [device, address] of [
    ['gwl', LEFT],
    ['gwr', RIGHT],
  ] as const) {
    namespace.run('ip', 'link', 'set', device, 'addrgenmode', 'none');
    namespace.run('ip', 'link', 'set', device, 'up');
    namespace.run('ip', 'address', 'add', `${address}/64`, 'dev', device, 'nodad');
  }
  cleanups.push(namespace.enter());
  return namespace;
}

function speaker(remote: string, listen: { address: string; zone?: string }, changes: OptionChanges) {
  const transport = new TcpTransport();
  const events = new Recorder();
  const listeners = new ListenerSet({ clock: systemClock, transport, log: silentLogger });
  listeners.open({ address: ip(listen.address), port: BGP_PORT, interface: undefined, zone: listen.zone });
  const peer = new Peer(peerOptions(remote, { timers: { connectRetry: 1 }, ...changes }), {
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
  return { peer, events, listeners };
}

async function until(condition: () => boolean, what: () => string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(what());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Connects from the other end of the link, and leaves. */
const CALL = "const s = require('node:net').connect({ host: 'fe80::1%gwr', port: 179 }, () => s.destroy())";

describe.skipIf(!possible)('link-local peers', () => {
  it('a listener lives on when a link is gone before its caller was taken', async () => {
    const namespace = link();
    const callers: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const listener = new TcpTransport().listen(
        { address: ip('::'), port: BGP_PORT, interface: undefined },
        {
          onError: reject,
          onListening: () => {
            // Nothing is accepted meanwhile: this thread waits for each of them.
            namespace.run(process.execPath, '-e', CALL);
            namespace.run('ip', 'link', 'delete', 'gwl');
            namespace.run(process.execPath, '-e', CALL.replace('fe80::1%gwr', '::1'));
          },
          onAccept: ({ remote }) => {
            callers.push(formatAddress(remote.address));
            resolve();
          },
        },
      );
      cleanups.push(() => listener.close());
    });
    expect(callers).toEqual(['::1']);
  });

  it.each([
    { name: 'a listener on the address', listen: { address: RIGHT, zone: 'gwr' }, changes: {} },
    { name: 'a listener on any address', listen: { address: '::' }, changes: {} },
    {
      name: 'TCP-MD5 and GTSM',
      listen: { address: '::' },
      changes: { password: { reveal: () => 'link' }, ttlSecurity: 1 },
    },
  ])('establish over a link with a zone: $name', async ({ listen, changes }) => {
    link();
    const b = speaker(`${LEFT}%gwr`, listen, { passive: true, routerId: 2, ...changes });
    const a = speaker(`${RIGHT}%gwl`, { address: '::' }, { routerId: 1, localAddress: ip(LEFT), ...changes });
    b.peer.start();
    a.peer.start();
    await until(
      () => a.peer.state === 'Established' && b.peer.state === 'Established',
      () => `${a.peer.lastDown?.sentence}; ${b.listeners.problems.join()}`,
    );
    expect([a.peer.session?.zone, b.peer.session?.zone]).toEqual(['gwl', 'gwr']);
    expect(b.peer.session?.remoteAddress).toEqual(ip(LEFT));
  });

  it('have keys of their own where each link has a socket, which the kernel has not on one for all', async () => {
    link();
    const transport = new TcpTransport();
    const listeners = new ListenerSet({ clock: systemClock, transport, log: silentLogger });
    cleanups.push(() => listeners.closeAll());
    for (const device of ['gwl', 'gwr']) {
      listeners.addRange({
        name: device,
        prefix: parsePrefix('fe80::/10')!,
        takesFrom: (zone) => zone === device,
        limit: 1,
        password: { reveal: () => `for ${device}` },
        admit: () => undefined,
      });
      listeners.open({ address: ip('::'), port: BGP_PORT, interface: device });
    }
    const answers = (address: string, zone: string, key: string) =>
      new Promise<boolean>((resolve) => {
        const socket = transport.connect(
          {
            remote: { address: ip(address), port: BGP_PORT, zone },
            local: { address: undefined, port: 0 },
            interface: undefined,
            password: { reveal: () => key },
            ttl: undefined,
            minTtl: undefined,
          },
          {
            onConnect: () => {
              resolve(true);
              socket.destroy();
            },
            onData: () => {},
            onEnd: () => {},
            onClose: () => resolve(false),
          },
        );
        // Segments with a wrong key are dropped, and sent again.
        setTimeout(() => {
          resolve(false);
          socket.destroy();
        }, 2000);
      });
    await until(
      () => listeners.problems.length === 0,
      () => listeners.problems.join(),
    );
    // A caller leaves by one end of the link, and comes in by the other.
    expect(await answers(LEFT, 'gwr', 'for gwl')).toBe(true);
    expect(await answers(RIGHT, 'gwl', 'for gwr')).toBe(true);
    expect(await answers(LEFT, 'gwr', 'for gwr')).toBe(false);
    expect(await answers(RIGHT, 'gwl', 'for gwl')).toBe(false);
  });
});
