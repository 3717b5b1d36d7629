// The guided tour: what happens to a received UPDATE, top to bottom, in one synchronous chain of ids. Sessions call
// in at one end; at the other the Loc-RIB is told which prefixes have changed, and the RIB's stages (decide, export) and
// the kernel go on from there.
//
//   session -> decode (all of it, before any table is touched)
//           -> withdrawals out of the Adj-RIB-In
//           -> next hop and attribute set interned to one id
//           -> import checks and policy, once for the set
//           -> announcements into the Adj-RIB-In -> the Loc-RIB is told

import type { Family } from '../bgp/wire/families.ts';
import type { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import type { DecodedUpdate } from '../bgp/wire/update-decoder.ts';
import type { Clock } from '../lib/clock.ts';
import { announce, withdraw } from '../rib/adj-rib-in.ts';
import { announceWithin, hasRoom } from '../rib/blocked-import.ts';
import type { Rib } from '../rib/rib.ts';
import { hasGenerationLeft } from '../rib/stale-rows.ts';
import { FairReading } from './fair-reading.ts';
import type { UpdateSource } from './update-source.ts';

export class Pipeline {
  /** UPDATEs so far. */
  received = 0;
  readonly #rib: Rib;
  readonly #reading: FairReading;
  /** Wall-clock seconds when the turn began: the age of a route is not finer. */
  #seconds = 0;

  /** `defer` calls back in the next turn of the loop. */
  constructor(rib: Rib, clock: Clock, defer: (fn: () => void) => void) {
    this.#rib = rib;
    this.#reading = new FairReading(clock, defer, () => rib.backlog);
  }

  /** One whole UPDATE of an Established session. Throws NotificationError for what RFC 7606 lets end a session. */
  receive(from: UpdateSource, buffer: Uint8Array, start: number, end: number): void {
    this.received++;
    const update = from.decoder.decode(buffer, start, end);
    if (update.issues.length > 0) from.onIssues(update, buffer, start, end);

    // By index, here and in the rooms below: an iterator for every UPDATE is garbage by the megabyte.
    const { withdrawn, announced } = update;
    if (this.#reading.atTurnStart) this.#seconds = from.nowSeconds();
    let prefixes = 0;
    for (let i = 0; i < withdrawn.length; i++) {
      const batch = withdrawn[i]!;
      prefixes += batch.count;
      this.#withdraw(from, batch);
    }
    for (let i = 0; i < announced.length; i++) {
      const batch = announced[i]!;
      prefixes += batch.count;
      // RFC 7606 §2: what came with broken attributes counts as withdrawn.
      if (update.treatAsWithdraw) this.#withdraw(from, batch);
      else this.#announce(from, batch, update);
    }
    if (update.endOfRib !== undefined) this.#endOfRib(from, update.endOfRib);
    this.#reading.note(from.session, prefixes, end - start);
    if (announced.length > 0) from.limits.review();
  }

  /** Nobody's reading goes on before `release`. */
  hold(): void {
    this.#reading.hold();
  }

  release(): void {
    this.#reading.release();
  }

  /** RFC 7313 §4: what the refresh does not confirm goes when it ends. */
  beginRefresh(from: UpdateSource, family: Family): void {
    const home = this.#rib.homeOf(from.ribPeer, family.id);
    // A peer that begins again and again, and sends a little each time: what it has sent last counts as confirmed.
    if (hasGenerationLeft(home, from.ribPeer)) this.#rib.walks.markStale(home, from.ribPeer);
  }

  endRefresh(from: UpdateSource, family: Family): void {
    this.#rib.walks.sweepStale(this.#rib.homeOf(from.ribPeer, family.id), from.ribPeer);
  }

  /** RFC 4724 §4.2: what a restarted peer has not sent again by now, it does not have. */
  #endOfRib(from: UpdateSource, family: Family): void {
    const first = !from.endOfRib.has(family.id);
    from.endOfRib.add(family.id);
    if (first) this.#rib.walks.sweepStale(this.#rib.homeOf(from.ribPeer, family.id), from.ribPeer);
    from.onEndOfRib(family);
  }

  #withdraw(from: UpdateSource, batch: NlriBatch): void {
    if (batch.count > 0) withdraw(this.#rib.homeOf(from.ribPeer, batch.family.id), from.ribPeer, batch);
  }

  #announce(from: UpdateSource, batch: NlriBatch, update: DecodedUpdate): void {
    if (batch.count === 0) return;
    const { attrs, nextHops, checks } = this.#rib;
    const { ribPeer } = from;
    const home = this.#rib.homeOf(ribPeer, batch.family.id);
    const domain = ribPeer.domains[batch.family.id]!;
    const zone = from.nextHopZone(batch);
    const { nextHop: octets, nextHopLength } = batch;
    const { lead, fallback } = from.links;
    const nextHop = nextHops.intern(octets, nextHopLength, zone, domain, lead, fallback);
    const attrIn = attrs.internViewed(update.attributesView, 0, update.attributesLength, nextHop);
    const result = checks.evaluate(ribPeer, attrIn, update.supersededPath);
    const { blocks } = ribPeer;
    if (blocks === undefined || hasRoom(home, ribPeer, blocks, batch.count)) {
      announce(home, ribPeer, batch, attrIn, result, this.#seconds);
    } else {
      announceWithin(home, ribPeer, blocks, batch, attrIn, result, this.#seconds);
    }
    if (result.attrPost !== 0) attrs.release(result.attrPost);
    attrs.release(attrIn);
    nextHops.release(nextHop);
  }
}
