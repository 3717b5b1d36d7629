// The update groups of one family: which peer is in which, made when a key appears and closed when the last member
// leaves. The export stage runs them in turn.

import { UpdateWriter } from '../bgp/wire/update-writer.ts';
import { type ExportOptions, groupKey, uniformExport } from './export-options.ts';
import type { FamilyRib } from './family-rib.ts';
import type { JoinRequest, Parted } from './lane.ts';
import type { ResumableWork } from './row-walk.ts';
import { type ExportDriver, UpdateGroup } from './update-group.ts';

export class UpdateGroups {
  readonly #rib: FamilyRib;
  readonly #driver: ExportDriver;
  readonly #byKey = new Map<string, UpdateGroup>();
  readonly #byPeer = new Map<number, UpdateGroup>();
  readonly #transfers: ResumableWork[] = [];
  #transfersFirst = false;
  readonly #closing: ResumableWork[] = [];
  #lastId = 0;
  /** The group that the next run begins with, so that nobody starves. */
  #turn = 0;

  constructor(rib: FamilyRib, driver: ExportDriver) {
    this.#rib = rib;
    this.#driver = driver;
    const note = (prefixId: number, bestChanged: boolean): void => {
      if (!bestChanged && !this.#looksBeyondBest()) return;
      rib.changes.append(prefixId);
      // However long the log is: one group may wait for a congested member while the others have read all. And
      // where nobody reads, a departed peer's id waits for its last best path to go.
      driver.wake();
    };
    rib.locRib.addListener(note, 'anytime');
  }

  values(): IterableIterator<UpdateGroup> {
    return this.#byKey.values();
  }

  groupOf(peerId: number): UpdateGroup | undefined {
    return this.#byPeer.get(peerId);
  }

  /**
   * Puts a peer into the group of its options; one that is in another group moves with what it was sent. `handed` says
   * what a peer that is in none has been sent by another process.
   */
  join(
    options: ExportOptions,
    request: JoinRequest,
    handed?: (group: UpdateGroup) => Parted | undefined,
  ): UpdateGroup {
    const key = groupKey(options);
    const before = this.#byPeer.get(request.peer.id);
    if (before?.key === key) return before;
    let group = this.#byKey.get(key);
    if (group === undefined) {
      group = this.#create(options);
      this.#byKey.set(key, group);
    }
    const parted = before === undefined ? handed?.(group) : before.part(request.peer.id, group);
    const transfer = parted?.lane?.transfer;
    if (transfer !== undefined && !this.#transfers.includes(transfer)) this.#transfers.push(transfer);
    group.join(request, parted);
    this.#byPeer.set(request.peer.id, group);
    if (before !== undefined) this.#closeIfEmpty(before);
    return group;
  }

  /** Takes out a peer whose session is over. */
  leave(peerId: number): void {
    const group = this.#byPeer.get(peerId);
    if (group === undefined) return;
    this.#byPeer.delete(peerId);
    const rest = group.leave(peerId);
    if (rest !== undefined) {
      this.#closing.push(rest);
      this.#driver.wake();
    }
    this.#closeIfEmpty(group);
  }

  /** Whether no group's Adj-RIB-Out names the peer as the origin of a route. */
  isForgotten(peerId: number): boolean {
    for (const group of this.#byKey.values()) if (group.adjRibOut.fromPeer(peerId) > 0) return false;
    return true;
  }

  run(expired: () => boolean): boolean {
    // By turns: groups that have much to do must not keep members waiting that have moved, nor these the groups.
    this.#transfersFirst = !this.#transfersFirst;
    if (this.#transfersFirst && workOff(this.#transfers, expired)) return true;
    const groups = [...this.#byKey.values()];
    for (let i = 0; i < groups.length; i++) {
      const group = groups[(this.#turn + i) % groups.length]!;
      if (group.run(expired)) {
        // Next time it is first; one that had the whole slice lets the others go before.
        this.#turn = (this.#turn + Math.max(i, 1)) % groups.length;
        return true;
      }
    }
    // What a closed group has sent must not be forgotten before it is told; and then there is something to send.
    if (this.#transfers.length > 0) {
      workOff(this.#transfers, expired);
      return true;
    }
    return workOff(this.#closing, expired);
  }

  #closeIfEmpty(group: UpdateGroup): void {
    if (group.size > 0) return;
    this.#byKey.delete(group.key);
    this.#closing.push(group.close());
    this.#driver.wake();
  }

  #create(options: ExportOptions): UpdateGroup {
    const { family, as4, messageLimit, extendedNextHop } = options;
    const writer = new UpdateWriter({
      family,
      as4,
      addPath: options.addPath !== 'none',
      messageLimit,
      extendedNextHop,
    });
    return new UpdateGroup(++this.#lastId, this.#rib, uniformExport(options), { ...this.#driver, writer });
  }

  /** Whether a group is concerned by other routes than the best ones. */
  #looksBeyondBest(): boolean {
    for (const { options } of this.#byKey.values()) {
      if (options.addPath !== 'none' || options.evaluateAllFor !== undefined) return true;
    }
    return false;
  }
}

/** Does one after the other; returns true while some is left. */
function workOff(queue: ResumableWork[], expired: () => boolean): boolean {
  while (queue.length > 0) {
    if (queue[0]!.run(expired)) return true;
    queue.shift();
  }
  return false;
}
