// Peer groups resolve away here: a peer's settings are its group's (and that group's own group's) with the peer's
// keys on top. Whole keys win: `addPath: { send: all }` on a peer replaces the group's addPath.

import { nearest } from '../lib/suggest.ts';
import type { IssueList } from './issues.ts';
import type { Path } from './nodes.ts';
import type { PeerGroupInput, SettingsInput, SettingsKey } from './schema-peer.ts';
import { peerSettingsShape } from './schema-peer.ts';

export interface ResolvedSettings {
  readonly settings: SettingsInput;
  /** Where the path of a key's value is: the peer's own, or its group's. */
  origin(key: SettingsKey): Path;
  /** Whether the key was written at all, be it wrong. */
  written(key: SettingsKey): boolean;
  /** False where a group on the way is unknown or broken: what is missing may have stood there. */
  readonly complete: boolean;
}

export type Groups = ReadonlyMap<string, PeerGroupInput | undefined>;

const SETTINGS_KEYS = Object.keys(peerSettingsShape) as SettingsKey[];

/**
 * The settings of an entry with those of its groups under them. A group that is unknown is the entry's fault and
 * reported at its `group` key; what is wrong between groups is reported once by `checkGroups`.
 */
export function resolveSettings(
  entry: PeerGroupInput,
  path: Path,
  groups: Groups,
  issues: IssueList,
): ResolvedSettings {
  if (entry.group !== undefined && !groups.has(entry.group)) {
    issues.error(
      [...path, 'group'],
      `there is no peer group "${entry.group}"`,
      groupHint(entry.group, groups),
    );
  }
  const layers: { path: Path; settings: SettingsInput }[] = [];
  const seen = new Set<string>();
  let complete = true;
  let next: { path: Path; entry: PeerGroupInput } | undefined = { path, entry };
  while (next !== undefined) {
    layers.push({ path: next.path, settings: settingsOf(next.entry) });
    const name: string | undefined = next.entry.group;
    next = undefined;
    if (name === undefined) break;
    const group = groups.get(name);
    if (group === undefined || seen.has(name)) complete = false;
    else next = { path: ['peerGroups', name], entry: group };
    seen.add(name);
  }
  return {
    settings: Object.assign({}, ...layers.map((layer) => layer.settings).reverse()),
    origin: (key) => [...(layers.find((layer) => Object.hasOwn(layer.settings, key))?.path ?? path), key],
    written: (key) => layers.some((layer) => issues.has([...layer.path, key])),
    complete,
  };
}

/** Groups that extend an unknown group, or themselves. */
export function checkGroups(groups: Groups, issues: IssueList): void {
  for (const [name, group] of groups) {
    const path = ['peerGroups', name, 'group'];
    if (group?.group === undefined) continue;
    if (!groups.has(group.group)) {
      issues.error(path, `there is no peer group "${group.group}"`, groupHint(group.group, groups));
      continue;
    }
    const chain = chainOf(name, groups);
    if (chain.at(-1) === name && chain.length > 1) {
      issues.error(
        path,
        `the groups extend each other in a circle: ${chain.join(' -> ')}`,
        'take one `group:` out',
      );
    }
  }
}

/** Names from `name` on until the end, or until a name comes again. */
function chainOf(name: string, groups: Groups): string[] {
  const chain = [name];
  for (let next = groups.get(name)?.group; next !== undefined; next = groups.get(next)?.group) {
    const again = chain.includes(next);
    chain.push(next);
    if (again) break;
  }
  return chain;
}

function groupHint(name: string, groups: Groups): string {
  const near = nearest(name, groups.keys());
  if (near !== undefined) return `did you mean ${near}?`;
  return groups.size > 0
    ? `defined under peerGroups: ${[...groups.keys()].join(', ')}`
    : 'define it under peerGroups';
}

function settingsOf(entry: PeerGroupInput): SettingsInput {
  return Object.fromEntries(
    SETTINGS_KEYS.filter((key) => entry[key] !== undefined).map((key) => [key, entry[key]]),
  );
}
