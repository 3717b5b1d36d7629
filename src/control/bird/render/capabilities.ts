// Capabilities as BIRD lists them, in its order: as sections with lines below in 2.x, as words in 1.6.

import type { Capability, CapabilityKind } from '../../../bgp/wire/capabilities.ts';
import { roleByValue } from '../../../bgp/wire/capabilities.ts';
import { familyByAfiSafi } from '../../../bgp/wire/families.ts';

const RECEIVE = 1;
const SEND = 2;

type Of<K extends CapabilityKind> = Extract<Capability, { kind: K }>;

function all<K extends CapabilityKind>(capabilities: readonly Capability[], kind: K): Of<K>[] {
  return capabilities.filter((each): each is Of<K> => each.kind === kind);
}

/** `ipv4`; numbers for what is not spoken here. */
function channelName({ afi, safi }: { readonly afi: number; readonly safi: number }): string {
  const family = familyByAfiSafi(afi, safi);
  return family === undefined ? `${afi}/${safi}` : family.name.replace(/-unicast$/, '');
}

function names(families: readonly { readonly afi: number; readonly safi: number }[]): string {
  return families.map((family) => ` ${channelName(family)}`).join('');
}

type Section = (capabilities: readonly Capability[]) => string[];

/** In BIRD's order; none where the capability is not there. */
const SECTIONS: readonly Section[] = [
  (capabilities) => {
    const found = all(capabilities, 'multiprotocol');
    return found.length === 0 ? [] : ['Multiprotocol', `  AF announced:${names(found)}`];
  },
  (capabilities) => title(capabilities, 'route-refresh', 'Route refresh'),
  (capabilities) =>
    all(capabilities, 'extended-next-hop').flatMap(({ entries }) => [
      'Extended next hop',
      `  IPv6 nexthop:${names(entries)}`,
    ]),
  (capabilities) => title(capabilities, 'extended-message', 'Extended message'),
  (capabilities) =>
    all(capabilities, 'graceful-restart')
      .slice(-1)
      .flatMap(({ families, restarting, restartTime }) => [
        'Graceful restart',
        // Without families it helps others to restart, and says nothing of itself.
        ...(families.length === 0
          ? []
          : [
              `  Restart time: ${restartTime}`,
              ...(restarting ? ['  Restart recovery'] : []),
              `  AF supported:${names(families)}`,
              `  AF preserved:${names(families.filter((family) => family.forwarding))}`,
            ]),
      ]),
  (capabilities) => title(capabilities, 'four-octet-as', '4-octet AS numbers'),
  (capabilities) =>
    all(capabilities, 'add-path')
      .slice(-1)
      .flatMap(({ entries }) => [
        'ADD-PATH',
        ...addPathLine('RX', entries, RECEIVE),
        ...addPathLine('TX', entries, SEND),
      ]),
  (capabilities) => title(capabilities, 'enhanced-route-refresh', 'Enhanced refresh'),
  (capabilities) =>
    all(capabilities, 'long-lived-graceful-restart')
      .slice(-1)
      .flatMap(({ families }) => [
        'Long-lived graceful restart',
        ...(families.length === 0
          ? []
          : [
              `  LL stale time: ${families[0]!.staleTime}`,
              `  AF supported:${names(families)}`,
              `  AF preserved:${names(families.filter((family) => family.forwarding))}`,
            ]),
      ]),
  (capabilities) =>
    all(capabilities, 'fqdn').map(({ hostname, domain }) => {
      return `Hostname: ${domain === '' ? hostname : `${hostname}.${domain}`}`;
    }),
  (capabilities) =>
    all(capabilities, 'role').map(({ value }) => `Role: ${ROLE_NAMES[value] ?? roleByValue(value) ?? value}`),
];

/** RFC 9234 roles in BIRD's words. */
const ROLE_NAMES: Readonly<Record<number, string>> = {
  0: 'provider',
  1: 'rs_server',
  2: 'rs_client',
  3: 'customer',
  4: 'peer',
};

function title(capabilities: readonly Capability[], kind: CapabilityKind, text: string): string[] {
  return all(capabilities, kind).length === 0 ? [] : [text];
}

function addPathLine(
  name: string,
  entries: readonly { readonly afi: number; readonly safi: number; readonly mode: number }[],
  mode: number,
): string[] {
  const found = entries.filter((entry) => (entry.mode & mode) !== 0);
  return found.length === 0 ? [] : [`  ${name}:${names(found)}`];
}

export function capabilityLines(capabilities: readonly Capability[]): string[] {
  return SECTIONS.flatMap((section) => section(capabilities));
}

/** 1.6 */
export function capabilityWords(capabilities: readonly Capability[]): string {
  const restart = all(capabilities, 'graceful-restart').at(-1);
  const longLived = all(capabilities, 'long-lived-graceful-restart').at(-1);
  const modes = all(capabilities, 'add-path').flatMap(({ entries }) => entries.map(({ mode }) => mode));
  const has = (kind: CapabilityKind): boolean => all(capabilities, kind).length > 0;
  const able = (families: readonly unknown[]): string => (families.length > 0 ? 'able' : 'aware');
  return [
    ...(has('route-refresh') ? ['refresh'] : []),
    ...(has('enhanced-route-refresh') ? ['enhanced-refresh'] : []),
    ...(restart === undefined ? [] : [`restart-${able(restart.families)}`]),
    ...(longLived === undefined ? [] : [`llgr-${able(longLived.families)}`]),
    ...(has('four-octet-as') ? ['AS4'] : []),
    ...(modes.some((mode) => (mode & RECEIVE) !== 0) ? ['add-path-rx'] : []),
    ...(modes.some((mode) => (mode & SEND) !== 0) ? ['add-path-tx'] : []),
    ...(has('extended-message') ? ['ext-messages'] : []),
  ].join(' ');
}
