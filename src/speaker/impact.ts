// What a configuration would change before it is applied: every route goes through the import and export policies as
// they would be, with the very code that would run, and is compared with what is there. Nothing is kept of it. The walk
// works in slices like all others, a prefix at a time; within a prefix the tables show the future for a moment.

import { isDeepStrictEqual } from 'node:util';
import { decodeAttributes } from '../bgp/wire/attribute-values.ts';
import { diffConfig } from '../config/diff.ts';
import { filtersIn } from '../config/filter-environment.ts';
import type { Config } from '../config/model.ts';
import { type PathOut, sentTo } from '../rib/adj-rib-out.ts';
import { WITHHELD } from '../rib/distribution.ts';
import { ExportFilter } from '../rib/export-filter.ts';
import { type ExportOptions, groupKey } from '../rib/export-options.ts';
import { firstAllowed } from '../rib/export-prefix.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import { ExportRewriter } from '../rib/rewrite.ts';
import type { Rib } from '../rib/rib.ts';
import { type ImportOptions, RibPeer, uniformImport } from '../rib/rib-peer.ts';
import type { ResumableWork } from '../rib/row-walk.ts';
import type { UpdateGroup } from '../rib/update-group.ts';
import type { ImpactChange, ImpactCount, ImpactRoute, ImpactView } from './api.ts';
import type { PeerHandle } from './peer-registry.ts';
import { exportOptions, importOptions } from './session-options.ts';
import type { Speaker } from './speaker.ts';
import { formatNextHop } from './views/route-view.ts';

const PREFIXES_PER_CLOCK = 64;
const PATH_KEYS = ['origin', 'asPath', 'med'] as const;
const LIST_KEYS = ['communities', 'largeCommunities', 'extendedCommunities'] as const;

/** How routes would leave for one peer, and how they do. */
interface Target {
  readonly name: string;
  readonly peerId: number;
  readonly group: UpdateGroup;
  readonly rewriter: ExportRewriter;
  readonly filter: ExportFilter | undefined;
  readonly limit: number | undefined;
  readonly evaluatesAll: boolean;
  readonly changed: boolean;
}

/** Walks all routes in the scheduler's slices; resolves with the comparison. `limit`: most routes that are named. */
export function impactOf(speaker: Speaker, after: Config, limit: number): Promise<ImpactView> {
  const { rib } = speaker;
  const walk = new ImpactWalk(speaker, after, limit);
  const filters = [...filtersIn(speaker.config), ...filtersIn(after)];
  const hush = (quiet: boolean) => {
    for (const filter of filters) filter.quiet = quiet;
  };
  return new Promise((resolve) => {
    rib.addWork({
      run: (expired) => {
        hush(true);
        const more = walk.run(expired);
        hush(false);
        if (more) return true;
        resolve({ changes: [...diffConfig(speaker.config, after).sentences], ...walk.view() });
        return false;
      },
    });
  });
}

class ImpactWalk implements ResumableWork {
  readonly #rib: Rib;
  readonly #limit: number;
  /** Peers whose import would differ, by id, as they would be. */
  readonly #importers = new Map<number, RibPeer>();
  readonly #targets: readonly (readonly Target[])[];
  readonly #counts = new Map<string, ImpactCount>();
  readonly #routes: ImpactRoute[] = [];
  #family = 0;
  #prefixId = 1;

  constructor(speaker: Speaker, after: Config, limit: number) {
    const { rib, registry } = speaker;
    this.#rib = rib;
    this.#limit = limit;
    const handles = [...registry.values()];
    for (const handle of handles) this.#addImporter(speaker, after, handle);
    for (const { name, place } of speaker.rooms.values()) {
      const { local } = place;
      const sections = name === '' ? after : after.tables?.find((table) => table.name === name);
      if (sections === undefined) continue;
      const policy = speaker.policies.localImport(sections.localPolicies);
      this.#shadow(local, { ...local.importOptions, policy });
    }
    this.#targets = rib.all.map((family) => targetsOf(speaker, after, handles, family));
  }

  run(expired: () => boolean): boolean {
    const families = this.#rib.all;
    for (; this.#family < families.length; this.#family++, this.#prefixId = 1) {
      const rib = families[this.#family]!;
      const targets = this.#targets[this.#family]!;
      const exportsDiffer = targets.some(({ changed }) => changed);
      if (this.#importers.size === 0 && !exportsDiffer) continue;
      while (this.#prefixId < rib.prefixes.limit) {
        const prefixId = this.#prefixId++;
        if (rib.prefixes.inUse(prefixId) && rib.paths.first(prefixId) !== 0) {
          this.#compare(rib, prefixId, targets, exportsDiffer);
        }
        if (prefixId % PREFIXES_PER_CLOCK === 0 && expired()) return true;
      }
    }
    return false;
  }

  view(): Pick<ImpactView, 'counts' | 'routes' | 'more'> {
    const counts = [...this.#counts.values()];
    const all = counts.reduce((sum, { added, removed, modified }) => sum + added + removed + modified, 0);
    return { counts, routes: this.#routes, more: all - this.#routes.length };
  }

  #addImporter(speaker: Speaker, after: Config, handle: PeerHandle): void {
    const settings = settingsAfter(after, handle);
    const { established } = handle;
    if (established === undefined || settings === undefined) return;
    const { session, ribPeer } = established;
    const { policies } = speaker;
    this.#shadow(ribPeer, importOptions(after, settings, session, policies, handle.draining));
  }

  #shadow(peer: RibPeer, options: ImportOptions): void {
    if (isDeepStrictEqual(peer.importOptions, uniformImport(options))) return;
    this.#importers.set(peer.id, new RibPeer(peer.id, peer, options));
  }

  #compare(rib: FamilyRib, prefixId: number, targets: readonly Target[], exportsDiffer: boolean): void {
    const { paths } = rib;
    const { attrs } = this.#rib;
    const before: { row: number; post: number; next: number }[] = [];
    for (let row = paths.first(prefixId); row !== 0; row = paths.next(row)) {
      const shadow = this.#importers.get(paths.peerId(row));
      // What a pipe has brought was judged in its own table.
      if (shadow === undefined || paths.feed(row) !== 0) continue;
      const next = this.#imported(rib, row, shadow);
      before.push({ row, post: paths.attrPost(row), next });
    }
    const changed = before.filter(({ post, next }) => post !== next);
    for (const { row, post, next } of changed) {
      const name = this.#rib.peers.get(paths.peerId(row)).name;
      this.#note(rib, prefixId, name, 'import', post, next);
    }
    if (changed.length > 0 || exportsDiffer) {
      for (const { row, next } of changed) paths.setAttrPost(row, next);
      for (const target of targets) {
        if (changed.length > 0 || target.changed) this.#compareExport(rib, prefixId, target);
      }
      for (const { row, post } of changed) paths.setAttrPost(row, post);
    }
    for (const { next } of before) if (next !== 0) attrs.release(next);
  }

  /** What import would leave of a row, held. */
  #imported(rib: FamilyRib, row: number, peer: RibPeer): number {
    const { checks, attrs } = this.#rib;
    const { paths } = rib;
    const { attrPost, policy } = checks.evaluate(peer, paths.attrIn(row));
    if (attrPost === 0 || policy === undefined) return attrPost;
    const result = policy.apply(rib, paths.prefixId(row), attrPost, peer, attrPost);
    attrs.release(attrPost);
    return result;
  }

  #compareExport(rib: FamilyRib, prefixId: number, target: Target): void {
    const { group, rewriter, filter, peerId, name } = target;
    const old = sentTo(group.adjRibOut, prefixId, peerId);
    const next = wantedBy(rib, prefixId, target).filter(({ from }) => from !== peerId);
    for (const { pathId, attr, from } of old) {
      const same = next.find((path) => path.pathId === pathId);
      if (same === undefined) this.#note(rib, prefixId, name, 'export', attr, 0);
      else {
        const [was, willBe] = [
          rendered(group.rewriter, attr, from),
          rendered(rewriter, same.attr, same.from),
        ];
        if (was !== willBe) this.#note(rib, prefixId, name, 'export', attr, same.attr, `${was} -> ${willBe}`);
      }
    }
    for (const { pathId, attr } of next) {
      if (!old.some((path) => path.pathId === pathId)) this.#note(rib, prefixId, name, 'export', 0, attr);
    }
    filter?.settle();
  }

  #note(
    rib: FamilyRib,
    prefixId: number,
    peer: string,
    direction: 'import' | 'export',
    before: number,
    after: number,
    nextHops?: string,
  ): void {
    const key = `${direction} ${peer}`;
    const count = this.#counts.get(key) ?? { peer, direction, added: 0, removed: 0, modified: 0 };
    this.#counts.set(key, count);
    const change: ImpactChange = before === 0 ? 'added' : after === 0 ? 'removed' : 'modified';
    count[change]++;
    if (this.#routes.length >= this.#limit) return;
    const detail = change === 'modified' ? this.#difference(before, after, nextHops) : '';
    const prefix = rib.prefixes.format(prefixId);
    this.#routes.push({ peer, direction, family: rib.family.name, prefix, change, detail });
  }

  /** `localPref 100 -> 200, communities [] -> [65000:1]` */
  #difference(before: number, after: number, rest: string | undefined): string {
    const { attrs } = this.#rib;
    const [a, b] = [decodeAttributes(attrs.copy(before)), decodeAttributes(attrs.copy(after))];
    const parts: string[] = [];
    for (const key of PATH_KEYS)
      if (a[key] !== b[key]) parts.push(`${key} ${a[key] ?? 'none'} -> ${b[key] ?? 'none'}`);
    const [oldPref, newPref] = [attrs.localPref[before]!, attrs.localPref[after]!];
    if (oldPref !== newPref) parts.push(`localPref ${oldPref} -> ${newPref}`);
    for (const key of LIST_KEYS) {
      const [old, next] = [a[key].join(' '), b[key].join(' ')];
      if (old !== next) parts.push(`${key} [${old}] -> [${next}]`);
    }
    const [was, willBe] = [attrs.extras[before]!, attrs.extras[after]!].map((id) =>
      attrs.extrasTable.get(id),
    );
    if (was!.preference !== willBe!.preference)
      parts.push(`preference ${was!.preference} -> ${willBe!.preference}`);
    return parts.length > 0 ? parts.join(', ') : (rest ?? 'other attributes');
  }
}

/** The settings that the peer would have; undefined where it would be gone. */
function settingsAfter(after: Config, { name, range }: PeerHandle) {
  return range === undefined
    ? after.peers.find((peer) => peer.name === name)
    : after.dynamicPeers.find((each) => each.name === range);
}

function targetsOf(
  speaker: Speaker,
  after: Config,
  handles: readonly PeerHandle[],
  rib: FamilyRib,
): Target[] {
  const { attrs, peers } = rib.shared;
  const groups = speaker.rib.groups[rib.index]!;
  const made = new Map<string, Pick<Target, 'rewriter' | 'filter'>>();
  const rulesOf = (key: string, options: ExportOptions) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const rewriter = new ExportRewriter(options, attrs, peers);
    const { policy } = options;
    const filter = typeof policy === 'string' ? undefined : new ExportFilter(rib, policy, rewriter);
    made.set(key, { rewriter, filter });
    return { rewriter, filter };
  };
  return handles.flatMap((handle) => {
    const { established, name } = handle;
    const settings = settingsAfter(after, handle);
    if (established === undefined || settings === undefined) return [];
    const { session, ribPeer } = established;
    const group = groups.groupOf(ribPeer.id);
    if (group === undefined) return [];
    const own = speaker.parts.addresses();
    const { policies } = speaker;
    const options = {
      ...exportOptions(after, settings, rib.family, session, own, policies, handle.draining),
      evaluateAllFor: settings.evaluateAll ? name : undefined,
    };
    const key = groupKey(options);
    const limit =
      options.addPath === 'none'
        ? undefined
        : options.addPath === 'all'
          ? Number.MAX_SAFE_INTEGER
          : options.addPath;
    const evaluatesAll = limit === undefined && settings.evaluateAll === true;
    const changed = key !== group.key;
    return [{ name, peerId: ribPeer.id, group, limit, evaluatesAll, changed, ...rulesOf(key, options) }];
  });
}

/** What a peer would be sent of a prefix as the tables show it now; held until the filter settles. */
function wantedBy(rib: FamilyRib, prefixId: number, target: Target): PathOut[] {
  const { rewriter, filter, limit, evaluatesAll, peerId } = target;
  if (evaluatesAll) {
    const first = firstAllowed(rib, prefixId, target, new Set([peerId]));
    return first === undefined ? [] : [{ pathId: 0, ...first }];
  }
  const { explainer, paths, locRib } = rib;
  const first = paths.first(prefixId);
  const current = locRib.bestRow(prefixId);
  const rows =
    limit === undefined
      ? [explainer.select(first, current)].filter((row) => row !== 0)
      : explainer.rank(first, current, limit).map(({ row }) => row);
  return rows.flatMap((row) => {
    const from = paths.peerId(row);
    const post = paths.attrPost(row);
    if (rewriter.judge(post, from) !== WITHHELD.none) return [];
    const attr = filter === undefined ? post : filter.pass(prefixId, post, from);
    return attr === 0 ? [] : [{ pathId: limit === undefined ? 0 : row, attr, from }];
  });
}

/** A route as it is sent, as a text to compare; it ends with the next hop. */
function rendered(rewriter: ExportRewriter, attr: number, from: number): string {
  const { bytes, length, nextHop } = rewriter.render(attr, from);
  return `${Buffer.from(bytes.subarray(0, length)).toString('hex')} next hop ${formatNextHop(nextHop)}`;
}
