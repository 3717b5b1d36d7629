// Interfaces in the two forms of `show interfaces`.

import type { InterfaceView } from '../../../speaker/api/tables.ts';
import { CODE, type Line, line } from '../reply.ts';
import { type Style, textStyle } from '../style.ts';

export function* interfaceLines(link: InterfaceView, style: Style): Iterable<Line> {
  const master = link.master === undefined ? '' : ` master=${link.master}`;
  yield line(CODE.interface, `${link.name} ${stateOf(link, style)} (index=${link.index}${master})`);
  const flags = [
    // BIRD's word for a link that is not between two ends only.
    link.pointToPoint ? 'PtP' : 'MultiAccess',
    ...(link.broadcast ? ['Broadcast'] : []),
    ...(link.multicast ? ['Multicast'] : []),
    `Admin${link.adminUp ? 'Up' : 'Down'}`,
    `Link${link.linkUp ? 'Up' : 'Down'}`,
    ...(link.loopback ? ['Loopback', 'Ignored'] : []),
    `MTU=${link.mtu}`,
  ];
  yield line(CODE.interfaceFlags, `\t${flags.join(' ')}`);
  for (const { address, length, scope, rank, opposite } of link.addresses) {
    const words = [
      ...RANK_WORDS[textStyle(style)][rank],
      ...(opposite === undefined ? [] : [`opposite ${opposite}`]),
      `scope ${scope}`,
    ];
    yield line(CODE.address, `\t${address}/${length} (${words.join(', ')})`);
  }
}

const RANK_WORDS = {
  bird1: { primary: ['Primary'], secondary: ['Secondary'], other: ['Unselected'] },
  bird2: { primary: ['Preferred'], secondary: ['Secondary'], other: [] },
} as const;

function stateOf({ up }: InterfaceView, style: Style): string {
  return up ? 'up' : style === 'bird1' ? 'DOWN' : 'down';
}

export function* summaryLines(links: readonly InterfaceView[], style: Style): Iterable<Line> {
  const one = style === 'bird1';
  yield line(
    CODE.interfaceHeading,
    one ? 'interface state address' : 'Interface  State  IPv4 address       IPv6 address',
  );
  for (const link of links) {
    const shown = link.addresses.filter(({ scope, rank }) => rank === 'primary' && (one || scope !== 'link'));
    const first = (v6: boolean): string => {
      const found = shown.find(({ address }) => address.includes(':') === v6);
      return found === undefined ? '' : `${found.address}/${found.length}`;
    };
    const text = one
      ? `${link.name.padEnd(9)} ${stateOf(link, style).padEnd(5)} ${first(false) || first(true)}`
      : `${link.name.padEnd(10)} ${stateOf(link, style).padEnd(6)} ${first(false).padEnd(18)} ${first(true)}`;
    yield line(CODE.interfaceSummary, text);
  }
}
