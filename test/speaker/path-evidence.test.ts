// What the kernel has dropped says something about those peers alone to whom it can happen.

import { expect, it } from 'vitest';
import type { Peer } from '../../src/bgp/session/peer.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { PathWitness } from '../../src/speaker/path-evidence.ts';

const MINUTE_MS = 60_000;
const peer = (options: object) => ({ options }) as Peer;

function bench() {
  const drops = { badSignature: 0, unexpectedSignature: 0, ttl: 0 };
  const clock = new SimClock();
  let looks = 0;
  const witness = new PathWitness({
    clock,
    tcpDrops: () => {
      looks++;
      return { ...drops };
    },
    alive: () => undefined,
    loopLagMs: () => 0,
  });
  return { drops, clock, witness, looks: () => looks };
}

it('belongs to peers that sign, to those that do not, and to those that look at the TTL', () => {
  const { drops, witness } = bench();
  const [signed, plain, near] = [peer({ password: {} }), peer({}), peer({ ttlSecurity: { hops: 1 } })];
  Object.assign(drops, { badSignature: 3, unexpectedSignature: 2, ttl: 5 });
  const [none, five] = [{ ttlDrops: 0 }, { ttlDrops: 5 }];
  expect(witness.about(signed)).toMatchObject({ signatureDrops: 3, ...none });
  expect(witness.about(plain)).toMatchObject({ signatureDrops: 2, ...none });
  expect(witness.about(near)).toMatchObject({ signatureDrops: 2, ...five });
  // Asked again, nothing is new.
  expect(witness.about(signed)).toMatchObject({ signatureDrops: 0, ...none });
});

it('is of the last minutes, however long a session has stood', () => {
  const { drops, clock, witness, looks } = bench();
  const signed = peer({ password: {} });
  clock.advance(MINUTE_MS);
  // Another peer's trouble, which is over.
  drops.badSignature = 40;
  clock.advance(10 * MINUTE_MS);
  expect(witness.about(signed)).toMatchObject({ signatureDrops: 0 });
  drops.badSignature = 42;
  clock.advance(4 * MINUTE_MS);
  expect(witness.about(signed)).toMatchObject({ signatureDrops: 2 });
  expect(witness.about(signed)).toMatchObject({ signatureDrops: 0 });
  witness.stop();
  const before = looks();
  clock.advance(10 * MINUTE_MS);
  expect(looks()).toBe(before);
});
