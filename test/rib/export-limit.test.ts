// A blocking limit on what one peer is sent, where several paths of a prefix count (RFC 7911): it keeps back what is one
// too many, and takes nothing away where one path takes another's place.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportOptions, identity, importOptions, octets, RibLab } from './lab.ts';

const PREFIXES = ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/24'];
const PATHS = 2;

function limited(routes: number) {
  const lab = new RibLab();
  const peer = (number: number) =>
    lab.rib.addPeer(
      identity({ name: `peer${number}`, routerId: number, address: octets(`192.0.2.${number}`) }),
      importOptions(),
    );
  const sources = [1, 2, 3].map(peer);
  const receiver = peer(9);
  let blocked = 0;
  const block = {
    routes,
    peerId: receiver.id,
    blocked: () => {
      blocked++;
    },
  };
  const sink = lab.join(receiver, exportOptions({ addPath: PATHS, limit: { key: 'receiver', block } }));
  /** Paths of a prefix that the receiver has, or of all. */
  const sent = (prefix = ''): number =>
    [...sink.table.keys()].filter((key) => key.startsWith(`${prefix}${prefix && '#'}`)).length;
  const announce = (source: number, prefix: number, med = 0) =>
    lab.announce(sources[source]!, [PREFIXES[prefix]!], { origin: 'IGP', asPath: '65001', med });
  const withdraw = (source: number, prefix: number) => lab.withdraw(sources[source]!, [PREFIXES[prefix]!]);
  return { lab, sent, announce, withdraw, receiver, blocked: () => blocked };
}

describe('a blocking limit with several paths of a prefix', () => {
  it('lets a path take the place of another', () => {
    const { lab, sent, announce, withdraw, blocked } = limited(2);
    announce(0, 0);
    announce(0, 1);
    lab.settle();
    expect(sent()).toBe(2);
    announce(1, 0);
    withdraw(0, 0);
    lab.settle();
    expect([sent(PREFIXES[0]), sent(PREFIXES[1]), blocked()]).toEqual([1, 1, 0]);
    // And again, as the next thing that is computed.
    announce(2, 0);
    withdraw(1, 0);
    lab.settle();
    expect([sent(PREFIXES[0]), sent(PREFIXES[1]), blocked()]).toEqual([1, 1, 0]);
    announce(0, 2);
    lab.settle();
    expect([sent(PREFIXES[2]), blocked()]).toEqual([0, 1]);
  });

  it('never sends more, and a prefix loses no more than its paths', () => {
    const change = fc.record({
      source: fc.nat(2),
      prefix: fc.nat(PREFIXES.length - 1),
      comes: fc.boolean(),
      med: fc.nat(1),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }),
        (routes, rounds) => {
          const { lab, sent, announce, withdraw } = limited(routes);
          const have = PREFIXES.map(() => new Set<number>());
          for (const round of rounds) {
            const before = PREFIXES.map((prefix) => sent(prefix));
            for (const { source, prefix, comes, med } of round) {
              if (comes) announce(source, prefix, med);
              else withdraw(source, prefix);
              have[prefix]![comes ? 'add' : 'delete'](source);
            }
            lab.settle();
            expect(sent()).toBeLessThanOrEqual(routes);
            for (const [i, prefix] of PREFIXES.entries()) {
              expect(sent(prefix)).toBeGreaterThanOrEqual(Math.min(before[i]!, have[i]!.size));
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
