// Update groups and attribute sets as people and programs see them.

import { describeOptions } from '../../rib/export-options.ts';
import type { Rib } from '../../rib/rib.ts';
import type { AttributeSetView, UpdateGroupView } from '../api.ts';
import { attributesView } from './route-view.ts';

export function groupViews(rib: Rib): UpdateGroupView[] {
  return rib.all.flatMap((family) =>
    [...rib.groups[family.index]!.values()].map((group) => ({
      id: group.id,
      family: family.family.name,
      key: describeOptions(group.options),
      members: group.members().map((peer) => peer.name),
      lagging: group.lagging().map((peer) => peer.name),
      routes: group.adjRibOut.size,
      pending: group.pending,
      bytesBuilt: group.bytesBuilt,
    })),
  );
}

/** In slices: a set that was freed in between is passed over. */
export function* attributeSetViews(rib: Rib): Iterable<AttributeSetView> {
  const { attrs, nextHops } = rib;
  for (let id = 1; id < attrs.limit; id++) {
    if (attrs.references(id) === 0) continue;
    yield {
      id,
      references: attrs.references(id),
      bytes: attrs.length(id),
      nextHop: nextHops.format(attrs.nextHop[id]!),
      attributes: attributesView(rib, id),
    };
  }
}
