// Addresses that the machine does not have, with real sockets and without a packet.

import { describe, expect, it } from 'vitest';
import { loadNativeSockets } from '../../../src/bgp/session/native-socket.ts';
import { ip } from './harness.ts';

const sockets = loadNativeSockets();
/** RFC 5737 and 3849: nobody has these. */
const ABSENT = { ipv4: ip('203.0.113.7'), ipv6: ip('2001:db8::7') } as const;

describe.skipIf(sockets === undefined)('an address that is not there', () => {
  const dial = (version: keyof typeof ABSENT, freebind: boolean): void => {
    const options = { interface: undefined, ttl: undefined, minTtl: undefined, password: undefined };
    const [local, remote] = [ABSENT[version], ip(version === 'ipv4' ? '127.0.0.1' : '::1')];
    const fd = sockets!.dialer({
      ...options,
      remote: { address: remote },
      local: { address: local, port: 0 },
      freebind,
    });
    sockets!.close(fd);
  };

  it.each(['ipv4', 'ipv6'] as const)('is dialled from where that is wanted: %s', (version) => {
    expect(() => dial(version, false)).toThrow('bind: address not available');
    dial(version, true);
  });
});
