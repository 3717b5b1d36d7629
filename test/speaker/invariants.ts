// What holds in any network of speakers once nothing moves any more, whatever happened before.

import { expect } from 'vitest';
import { WITHHELD } from '../../src/rib/distribution.ts';
import { onTheWire } from '../../src/sim/invariants.ts';
import type { SimSpeaker } from '../support/sim-lab.ts';

/**
 * The Adj-RIB-Out of one side is the Adj-RIB-In of the other; nobody gets a route back that is its own; the best path
 * is an eligible one; the kernel has what the Loc-RIB has; the counters count what is there.
 */
export function expectConsistent(speakers: readonly SimSpeaker[]): void {
  const byAddress = new Map(
    speakers.flatMap((each) => each.addresses.map((address) => [address, each] as const)),
  );
  for (const speaker of speakers) {
    for (const peer of speaker.api.peers()) {
      const other = byAddress.get(peer.address);
      const back = other?.api.peers().find((each) => speaker.addresses.includes(each.address));
      if (other === undefined || back === undefined) continue;
      const where = `${speaker.name} to ${other.name}`;
      const sent = speaker.routes({ advertisedTo: peer.name });
      const received = other.routes({ receivedFrom: back.name, beforePolicy: true });
      if (peer.state !== 'Established') {
        expect([sent, speaker.routes({ receivedFrom: peer.name })], where).toEqual([[], []]);
        continue;
      }
      // An eBGP LOCAL_PREF is neither sent nor kept; everything else is compared.
      expect(received.map(onTheWire).sort(), where).toEqual(sent.map(onTheWire).sort());
      for (const route of sent) expect(route.peer, `echo from ${where}`).not.toBe(peer.name);
      const counted = speaker.peer(peer.name).families.reduce((sum, family) => sum + family.advertised, 0);
      expect(counted, where).toBe(sent.length);
    }
    for (const route of speaker.routes({ bestOnly: true })) expect(route.eligible).toBe(true);
    expectAdvertised(speaker);
    expectKernel(speaker);
  }
}

/** Each group's Adj-RIB-Out is what export says of the best paths now, whatever way it came about. */
export function expectAdvertised({ name, speaker: { rib } }: SimSpeaker): void {
  for (const family of rib.families) {
    for (const group of rib.groups[family.family.id]!.values()) {
      if (group.options.addPath !== 'none') continue;
      const wrong: string[] = [];
      for (let id = 1; id < family.prefixes.limit; id++) {
        const best = family.prefixes.inUse(id) ? family.locRib.bestAttr(id) : 0;
        const from = family.locRib.bestPeer(id);
        const wanted = best !== 0 && group.rewriter.judge(best, from) === WITHHELD.none ? best : 0;
        let sent = 0;
        group.adjRibOut.forEach(id, (_pathId, attr) => {
          sent = attr;
        });
        if (sent !== wanted) wrong.push(`${family.prefixes.format(id)}: ${sent} instead of ${wanted}`);
      }
      expect(wrong, `${name}, group ${group.id}`).toEqual([]);
      expect(group.pending, `${name}, group ${group.id}`).toBe(0);
      expect(group.lagging(), `${name}, group ${group.id}`).toEqual([]);
    }
  }
}

function expectKernel(speaker: SimSpeaker): void {
  if (speaker.kernel === undefined) return;
  const wanted = speaker
    .routes({ bestOnly: true })
    .filter((route) => route.peerAddress !== undefined)
    .map((route) => route.prefix);
  expect(
    speaker.kernelRoutes().map((text) => text.split(' ')[0]),
    speaker.name,
  ).toEqual(wanted.sort());
}
