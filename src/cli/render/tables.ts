// The tables beneath the routes for a person: attribute sets, update groups, the kernel's routes.

import type { AttributeSetView, KernelRouteView, UpdateGroupView } from '../../control/protocol.ts';
import { renderFields } from './fields.ts';
import { type Look, safeText } from './style.ts';
import { type Column, StreamingTable } from './table.ts';
import { formatBytes, formatCount, plural } from './units.ts';

function attributeSummary({ attributes }: AttributeSetView): string {
  const { med, localPref, communities, originatorId } = attributes;
  const parts = [
    `path ${attributes.asPath === '' ? '(empty)' : attributes.asPath}`,
    attributes.origin,
    localPref === undefined ? undefined : `locpref ${localPref}`,
    med === undefined ? undefined : `med ${med}`,
    communities.length === 0 ? undefined : `communities ${communities.join(' ')}`,
    originatorId === undefined ? undefined : `originator ${originatorId}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

const ATTRIBUTE_COLUMNS: readonly Column<AttributeSetView>[] = [
  { title: 'ID', align: 'right', value: (set) => String(set.id) },
  { title: 'USES', align: 'right', value: (set) => formatCount(set.references) },
  { title: 'BYTES', align: 'right', value: (set) => String(set.bytes) },
  { title: 'NEXT HOP', value: (set) => set.nextHop },
  { title: 'ATTRIBUTES', flexible: true, value: attributeSummary },
];

export function attributeTable(look: Look): StreamingTable<AttributeSetView> {
  return new StreamingTable(ATTRIBUTE_COLUMNS, look);
}

const KERNEL_COLUMNS: readonly Column<KernelRouteView>[] = [
  { title: 'PREFIX', value: (route) => route.prefix },
  { title: 'TYPE', value: (route) => route.type },
  { title: 'TABLE', align: 'right', value: (route) => String(route.table) },
  { title: 'METRIC', align: 'right', value: (route) => String(route.metric) },
  { title: 'PROTO', align: 'right', value: (route) => String(route.protocol) },
  { title: 'ORIGIN', value: (route) => route.origin },
  {
    title: 'STATE',
    value: (route) => route.state,
    paint: (route, { style }) =>
      route.state === 'installed' ? style.good : route.state === 'failed' ? style.bad : style.warn,
  },
  { title: 'NEXT HOPS', flexible: true, value: nextHopsText },
];

function nextHopsText(route: KernelRouteView): string {
  const hops = route.nextHops.join(', ');
  if (route.problem === undefined) return hops;
  return hops === '' ? route.problem : `${hops} (${route.problem})`;
}

export function kernelTable(look: Look): StreamingTable<KernelRouteView> {
  return new StreamingTable(KERNEL_COLUMNS, look);
}

export function renderGroups(groups: readonly UpdateGroupView[], look: Look): string {
  if (groups.length === 0) return 'There are no update groups.\n';
  return groups.map((group) => renderGroup(group, look)).join('\n');
}

function renderGroup(group: UpdateGroupView, look: Look): string {
  const head = look.style.bold(`Group ${group.id}`);
  const key = Object.entries(group.key).map(([name, value]) => `${name} = ${value}`);
  return (
    `${head}, ${safeText(group.family)}: ${plural(group.members.length, 'member')}, ${plural(group.routes, 'route')}\n` +
    renderFields(
      [
        ['Members', group.members.join(' ')],
        ['Lagging', group.lagging.length === 0 ? undefined : group.lagging.join(' ')],
        ['Pending', plural(group.pending, 'route')],
        ['Built', formatBytes(group.bytesBuilt)],
        ['Key', key],
      ],
      look,
    )
  );
}
