// A listener that is bound to an interface: what comes in over another one does not reach it, and two of them share an
// address and a port.

import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpTransport } from '../../../src/bgp/session/tcp-transport.ts';
import type { TransportError } from '../../../src/bgp/session/transport.ts';
import { BGP_PORT } from '../../../src/bgp/wire/iana.ts';
import { NetNamespace } from '../../support/net-namespace.ts';
import { ip } from './harness.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function possible(): boolean {
  return process.getuid?.() === 0 && spawnSync('unshare', ['-n', 'true']).status === 0;
}

/** Two machines with two links between them. */
function twoLinks() {
  const [here, there] = ['h', 't'].map((end) => {
    const namespace = new NetNamespace(`gwi-${process.pid}-${end}`, []);
    cleanups.push(() => namespace.remove());
    return namespace;
  }) as [NetNamespace, NetNamespace];
  for (const [i, link] of ['left', 'right'].entries()) {
    here.run('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', link, 'netns', there.name);
    for (const [j, end] of [here, there].entries()) {
      end.run('ip', 'address', 'add', `10.8.${i}.${j + 1}/24`, 'dev', link);
      end.run('ip', 'link', 'set', link, 'up');
    }
  }
  return { here, there };
}

function listen(namespace: NetNamespace, link: string, accepted: string[]): Promise<void> {
  const transport = namespace.transport(new TcpTransport());
  return new Promise((resolve, reject) => {
    const listener = transport.listen(
      { address: ip('0.0.0.0'), port: BGP_PORT, interface: link },
      {
        onListening: resolve,
        onAccept: (socket) => {
          accepted.push(link);
          socket.destroy();
        },
        onError: reject,
      },
    );
    cleanups.push(() => listener.close());
  });
}

/** `connected`, or the code of the failure. */
function dial(namespace: NetNamespace, address: string): Promise<string> {
  const transport = namespace.transport(new TcpTransport());
  return new Promise((resolve) => {
    const options = {
      remote: { address: ip(address), port: BGP_PORT },
      local: { address: undefined, port: 0 },
    };
    const socket = transport.connect(
      { ...options, interface: undefined, ttl: undefined, minTtl: undefined, password: undefined },
      {
        onConnect: () => resolve('connected'),
        onData: () => {},
        onEnd: () => {},
        onClose: (error: TransportError | undefined) => resolve(error?.code ?? 'closed'),
      },
    );
    cleanups.push(() => socket.destroy());
  });
}

describe.skipIf(!possible())('a listener on one interface', () => {
  it('is not there for callers of another one', async () => {
    const { here, there } = twoLinks();
    const accepted: string[] = [];
    await listen(here, 'left', accepted);
    expect(await dial(there, '10.8.0.1')).toBe('connected');
    expect(await dial(there, '10.8.1.1')).toBe('ECONNREFUSED');
    await listen(here, 'right', accepted);
    expect(await dial(there, '10.8.1.1')).toBe('connected');
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toEqual(['left', 'right']);
  });

  it('says which interface is missing', async () => {
    const { here } = twoLinks();
    await expect(listen(here, 'nosuch0', [])).rejects.toThrow('SO_BINDTODEVICE nosuch0');
  });
});
