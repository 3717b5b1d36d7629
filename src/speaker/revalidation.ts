// Routes that are judged again because a table that filters ask is another (RFC 6811 §4, RFC 8481): of a peer's import,
// those that the changes can concern; of exports and the kernel, all that go through such filters. What caches change
// is collected for a moment, whatever else comes: a fixed pace, not an ever later one.

import type { Policy } from '../config/model.ts';
import { filtersOf, localImports } from '../config/policies.ts';
import type { Timer } from '../lib/clock.ts';
import type { IpVersion } from '../lib/ip.ts';
import type { Concerns } from '../rib/adj-rib-in.ts';
import type { PeerHandle } from './peer-registry.ts';
import type { Speaker } from './speaker.ts';
import { reimportLocal } from './table-changes.ts';
import type { TableChange, TableChanges } from './validation-job.ts';
import type { ChangedPrefixes } from './validation-updates.ts';

/** Milliseconds that changes are collected for. */
const SETTLE_MS = 1000;

const EVERYTHING: TableChange = { ipv4: 'all', ipv6: 'all', aspa: true };

export class Revalidation {
  readonly #speaker: Speaker;
  #names = new Map<string, TableChange[]>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** Caches have changed tables. */
  note(changes: TableChanges): void {
    if (this.#stopped) return;
    for (const [name, change] of changes) {
      this.#names.set(name, [...(this.#names.get(name) ?? []), change]);
    }
    this.#timer ??= this.#speaker.parts.clock.setTimer(SETTLE_MS, () => {
      this.#timer = undefined;
      const names = this.#names;
      this.#names = new Map();
      this.#speaker.policies.tablesChanged(new Set(names.keys()));
      judgeAgain(this.#speaker, names);
    });
  }

  /** What caches change from now on concerns nobody. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }
}

/** Runs the filters that ask one of the tables over the routes at hand. */
export function revalidate(speaker: Speaker, names: ReadonlySet<string>): void {
  judgeAgain(speaker, new Map([...names].map((name) => [name, [EVERYTHING]])));
}

function judgeAgain(speaker: Speaker, changes: ReadonlyMap<string, readonly TableChange[]>): void {
  if (changes.size === 0) return;
  const { registry, policies, rooms, pipes } = speaker;
  const asked = (policy: Policy): TableChange[] => {
    const tables = new Set(filtersOf(policy).flatMap(({ facts }) => [...facts.tables]));
    return [...tables].flatMap((name) => changes.get(name) ?? []);
  };
  for (const handle of registry.values()) {
    if (!reloads(speaker, handle)) continue;
    const found = asked(handle.settings.import);
    if (found.length > 0) registry.refreshIn(handle, concernsOf(found));
    if (asked(handle.settings.export).length > 0) registry.refreshOut(handle);
  }
  for (const room of rooms.values()) {
    const { localPolicies } = room.config;
    const { install } = localPolicies;
    if (asked(install).length > 0) room.kernel?.useFilter(policies.kernelFilter(install));
    if (!localImports(localPolicies).some((policy) => asked(policy).length > 0)) continue;
    speaker.useLocalImport(room, room.config);
    reimportLocal(speaker, room);
  }
  for (const { config } of pipes.values()) {
    if (asked(config.import).length + asked(config.export).length > 0) pipes.renew(config.name);
  }
}

/** False where BIRD's language says `rpki reload off` in each channel of the peer. */
function reloads({ config }: Speaker, { range, name }: PeerHandle): boolean {
  const written = config.bird?.protocolsByName.get(range ?? name);
  const channels = [...(written?.channels.values() ?? [])];
  return channels.length === 0 || channels.some(({ rpkiReload }) => rpkiReload !== false);
}

/** Undefined for all prefixes. */
function concernsOf(changes: readonly TableChange[]): Concerns | undefined {
  if (changes.some(({ ipv4, ipv6, aspa }) => aspa || ipv4 === 'all' || ipv6 === 'all')) return undefined;
  const of = (key: IpVersion): Exclude<ChangedPrefixes, 'all'>[] =>
    changes.flatMap(({ [key]: prefixes }) =>
      prefixes === undefined || prefixes === 'all' ? [] : [prefixes],
    );
  const sets = { 1: of('ipv4'), 4: of('ipv6') } as const;
  return ({ prefixes, family }, prefixId) => {
    const at = prefixes.wordsAt(prefixId);
    const bits = prefixes.bits(prefixId);
    const { records } = prefixes;
    return sets[family.words === 1 ? 1 : 4].some((set) => set.covers(records, at, bits));
  };
}
