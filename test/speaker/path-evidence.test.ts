// What the kernel has dropped says something about those peers alone to whom it can happen.

import { expect, it } from 'vitest';
import type { Peer } from '../../src/bgp/session/peer.ts';
import { PathWitness } from '../../src/speaker/path-evidence.ts';

it('belongs to peers that sign, to those that do not, and to those that look at the TTL', () => {
  const drops = { badSignature: 0, unexpectedSignature: 0, ttl: 0 };
  const witness = new PathWitness({
    tcpDrops: () => ({ ...drops }),
    alive: () => undefined,
    loopLagMs: () => 0,
  });
  const peer = (options: object) => ({ options }) as Peer;
  const [signed, plain, near] = [peer({ password: {} }), peer({}), peer({ ttlSecurity: { hops: 1 } })];
  Object.assign(drops, { badSignature: 3, unexpectedSignature: 2, ttl: 5 });
  const [none, five] = [{ ttlDrops: 0 }, { ttlDrops: 5 }];
  expect(witness.about(signed)).toMatchObject({ signatureDrops: 3, ...none });
  expect(witness.about(plain)).toMatchObject({ signatureDrops: 2, ...none });
  expect(witness.about(near)).toMatchObject({ signatureDrops: 2, ...five });
  // Asked again, nothing is new.
  expect(witness.about(signed)).toMatchObject({ signatureDrops: 0, ...none });
});
