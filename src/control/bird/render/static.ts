// Static routes as `show static` lists them: as they are written, with what keeps them from being used.

import type { StaticHopView, StaticRouteView } from '../../../speaker/api/tables.ts';
import type { Style } from '../style.ts';

export function* staticLines(route: StaticRouteView, style: Style): Iterable<string> {
  const between = style === 'bird1' ? ' ' : '\t';
  // 2.x says it of gateways and interfaces alone.
  const asleep = style === 'bird1' && route.dormant === true ? DORMANT : '';
  const { net, via } = route;
  const [first] = via;
  switch (route.target) {
    case 'via':
      break;
    case 'recursive':
      yield `${net}${between}recursive ${first?.address ?? ''}${asleep}`;
      return;
    case 'roa':
      yield `${net}\t`;
      return;
    default:
      yield `${net}${between}${route.target}${asleep}`;
      return;
  }
  if (style !== 'bird1') {
    yield net;
    for (const hop of via) yield `\t${way(hop)}${rest(hop)}`;
  } else if (via.length === 1 && first !== undefined) {
    yield `${net} ${way(first)}${rest(first)}`;
  } else {
    yield `${net} multipath${via.every(({ dormant }) => dormant) ? DORMANT : ''}`;
    for (const hop of via) yield `\t${way(hop)} weight ${hop.weight ?? 1}${rest(hop)}`;
  }
}

const DORMANT = ' (dormant)';

function way({ address, interface: name }: StaticHopView): string {
  if (address === undefined) return `dev ${name ?? ''}`;
  return `via ${address}${name === undefined ? '' : `%${name}`}`;
}

function rest({ onlink, bfd, dormant }: StaticHopView): string {
  return `${onlink ? ' onlink' : ''}${bfd ? ' (bfd)' : ''}${dormant ? DORMANT : ''}`;
}
