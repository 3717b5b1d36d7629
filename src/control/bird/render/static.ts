// Static routes as `show static` lists them: as they are written, with what keeps them from being used.

import type { StaticRouteView } from '../../../speaker/api/tables.ts';
import type { Style } from '../style.ts';

export function* staticLines(route: StaticRouteView, style: Style): Iterable<string> {
  const dormant = route.dormant ? ' (dormant)' : '';
  const between = style === 'bird1' ? ' ' : '\t';
  const [first] = route.via;
  switch (route.target) {
    case 'via':
      break;
    case 'recursive':
      yield `${route.net}${between}recursive ${first?.address ?? ''}${dormant}`;
      return;
    case 'roa':
      yield `${route.net}\t`;
      return;
    default:
      yield `${route.net}${between}${route.target}`;
      return;
  }
  if (style === 'bird1' && route.via.length === 1 && first !== undefined) {
    yield `${route.net} ${hop(first)}${dormant}`;
    return;
  }
  yield style === 'bird1' ? `${route.net} multipath${dormant}` : route.net;
  for (const each of route.via) {
    const weight = style === 'bird1' ? ` weight ${each.weight ?? 1}` : '';
    yield `\t${hop(each)}${weight}${dormant}`;
  }
}

function hop({ address, interface: name }: StaticRouteView['via'][number]): string {
  if (address === undefined) return `dev ${name ?? ''}`;
  return `via ${address}${name === undefined ? '' : ` on ${name}`}`;
}
