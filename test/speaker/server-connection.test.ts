import { describe, expect, it } from 'vitest';
import {
  type LookUp,
  ServerConnection,
  type ServerEndpoint,
  type ServerEvents,
} from '../../src/speaker/server-connection.ts';
import { ip } from '../support/raw-peer.ts';
import { ServingCache } from '../support/rtr-cache.ts';
import { SimLab } from '../support/sim-lab.ts';

const OWN = '10.0.0.1';
const CACHE = '10.0.0.9';
const RESET_QUERY = Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 8);

function rig() {
  const lab = new SimLab();
  const cache = new ServingCache(lab.network.host(ip(CACHE)), ip(CACHE));
  const seen: string[] = [];
  const dial = (endpoint: Partial<ServerEndpoint>, lookUp?: LookUp, events: Partial<ServerEvents> = {}) =>
    new ServerConnection(
      { what: 'cache', host: CACHE, port: 323, localAddress: undefined, password: undefined, ...endpoint },
      { clock: lab.clock, transport: lab.network.host(ip(OWN)), lookUp },
      {
        onOpen: () => void seen.push('open'),
        onData: (_buffer, length) => void seen.push(`${length} octets`),
        onClose: (reason) => void seen.push(reason),
        ...events,
      },
    );
  return { lab, cache, seen, dial };
}

describe('a connection to a server', () => {
  it('is opened to an address, and what is written comes in its order', async () => {
    const { lab, cache, seen, dial } = rig();
    const socket = dial({});
    await lab.run(100);
    socket.write(RESET_QUERY);
    await lab.run(100);
    socket.write(RESET_QUERY);
    expect(socket.queuedBytes).toBe(RESET_QUERY.length);
    await lab.run(100);
    expect(socket.queuedBytes).toBe(0);
    expect(cache.queries).toEqual([2, 2]);
    expect(seen).toEqual(['open', '32 octets', '32 octets']);
  });

  it('finds names, in the version of the own address', async () => {
    const { lab, seen, dial } = rig();
    const asked: string[] = [];
    dial({ host: 'rtr.example.net', localAddress: OWN }, async (host) => {
      asked.push(host);
      return ['2001:db8::1', CACHE];
    });
    await lab.run(100);
    expect([asked, seen]).toEqual([['rtr.example.net'], ['open']]);
  });

  it('fails with a sentence where a name leads nowhere', async () => {
    const { lab, seen, dial } = rig();
    dial({ host: 'a.example' }, async () => {
      throw new Error('getaddrinfo ENOTFOUND a.example');
    });
    dial({ host: 'b.example', localAddress: OWN }, async () => ['2001:db8::1']);
    dial({ host: 'c.example' });
    await lab.run(100);
    expect(seen.sort()).toEqual([
      'a.example: getaddrinfo ENOTFOUND a.example',
      'b.example has no address that can be reached from here',
      'c.example: names cannot be looked up here',
    ]);
  });

  it('says once that it is gone, and nothing after it was closed here', async () => {
    const { lab, cache, seen, dial } = rig();
    dial({});
    await lab.run(100);
    cache.close();
    await lab.run(100);
    expect(seen).toHaveLength(2);
    const other = rig();
    const socket = other.dial({});
    await other.lab.run(100);
    socket.write(RESET_QUERY);
    socket.close();
    await other.lab.run(2000);
    // The last words are heard, and nothing that they bring.
    expect([other.cache.queries, other.seen]).toEqual([[2], ['open']]);
  });

  it('is not made where it was let go before the name was found', async () => {
    const { lab, seen, dial } = rig();
    dial({ host: 'rtr.example.net' }, async () => [CACHE]).close();
    await lab.run(100);
    expect(seen).toEqual([]);
  });
});
