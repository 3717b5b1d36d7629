// What a protocol gets of a prefix: a peer by its update group, the kernel by the routes that are wanted there. The
// answers come from what was decided, not from running policies again.

import { sentTo } from '../../rib/adj-rib-out.ts';
import { WITHHELD, type WithheldCause } from '../../rib/distribution.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { UpdateGroup } from '../../rib/update-group.ts';
import type { TableQuery } from '../api/tables.ts';
import { LOCAL_ORIGIN, originOf } from '../local-routes.ts';
import type { Pipe } from '../pipes.ts';
import type { Speaker } from '../speaker.ts';
import type { TableRoom } from '../table-room.ts';
import { standings } from '../views/route-view.ts';
import { type DeclaredProtocol, declaredProtocols, tablesOfProtocol } from './declared.ts';
import type { RowStanding } from './route-view.ts';
import { traitsOf } from './traits.ts';

type Export = NonNullable<TableQuery['export']>;

/** ready: it can be asked; down: it has no routes now; none: it never takes any. */
export function exportState(speaker: Speaker, protocol: string): 'ready' | 'down' | 'none' {
  const handle = speaker.registry.find(protocol);
  if (handle !== undefined) return handle.established === undefined ? 'down' : 'ready';
  const declared = declaredProtocols(speaker.written).find(({ name }) => name === protocol);
  if (declared !== undefined && speaker.protocols.isOff(declared)) return 'down';
  if (declared?.kind === 'pipe') return speaker.pipes.get(protocol) === undefined ? 'down' : 'ready';
  if (declared?.kind === 'kernel') {
    const rooms = roomsOfProtocol(speaker, declared);
    return rooms.some(({ kernel }) => kernel?.fib !== undefined) ? 'ready' : 'down';
  }
  return declared?.kind === 'bgp' ? 'down' : 'none';
}

export function exportRows(
  speaker: Speaker,
  family: FamilyRib,
  prefixId: number,
  wanted: Export,
): readonly RowStanding[] {
  const handle = speaker.registry.find(wanted.protocol);
  if (handle === undefined) {
    const pipe = speaker.pipes.get(wanted.protocol);
    return pipe === undefined
      ? kernelRows(speaker, family, prefixId, wanted)
      : pipeRows(pipe, family, prefixId, wanted.stage, traitsOf(speaker.written).changedIsNotBest);
  }
  const peerId = handle.established?.ribPeer.id;
  const group = peerId === undefined ? undefined : speaker.rib.groups[family.index]!.groupOf(peerId);
  if (peerId === undefined || group === undefined) return [];
  const rows = peerRows(family, prefixId, wanted.stage, group, peerId);
  const { showsAsSent } = traitsOf(speaker.written);
  return showsAsSent ? rows.map((row) => withRendering(group, family, row)) : rows;
}

/** Causes that are a policy's: protocol rules come before it. */
const BY_POLICY: readonly WithheldCause[] = [WITHHELD.policy, WITHHELD.noPolicy];

function peerRows(
  family: FamilyRib,
  prefixId: number,
  stage: Export['stage'],
  group: UpdateGroup,
  peerId: number,
): RowStanding[] {
  const { paths } = family;
  const sent = sentTo(group.adjRibOut, prefixId, peerId);
  const { addPath, evaluateAllFor } = group.options;
  const all = addPath === 'all' || (addPath === 'none' && evaluateAllFor !== undefined && stage === 'export');
  const most = all ? Number.MAX_SAFE_INTEGER : addPath === 'none' ? 1 : addPath;
  const rows: RowStanding[] = [];
  for (const { row, best, eligible } of standings(family, prefixId).slice(0, most)) {
    const from = paths.peerId(row);
    if (!eligible || from === peerId) continue;
    const attr = paths.attrPost(row);
    const out = sent.find(({ pathId, from: origin }) => (pathId === 0 ? origin === from : pathId === row));
    const cause = group.rewriter.judge(attr, from);
    const offered = cause === WITHHELD.none || BY_POLICY.includes(cause);
    const shown =
      stage === 'preexport'
        ? offered
        : stage === 'noexport'
          ? offered && out === undefined
          : out !== undefined;
    if (!shown) continue;
    const as = out === undefined || stage === 'preexport' ? {} : { as: out.attr };
    rows.push({ row, primary: best, attr, ...as });
  }
  return rows;
}

function withRendering(group: UpdateGroup, family: FamilyRib, standing: RowStanding): RowStanding {
  const from = family.paths.peerId(standing.row);
  const { policy } = group.options;
  // A filter that runs behind the protocol was given the route as it is sent; what it made of it needs no more.
  const pending = standing.as === undefined && typeof policy !== 'string' && policy.afterRewrite;
  const { bytes, length, nextHop } = pending
    ? group.rewriter.prepare(standing.attr, from)
    : group.rewriter.render(standing.as ?? standing.attr, from);
  // The rewriter's memory is used again for the next one.
  return { ...standing, rendered: { bytes: bytes.slice(0, length), length, nextHop: nextHop.slice() } };
}

/** What goes from this table into the other one, as it is there. */
function pipeRows(
  pipe: Pipe,
  family: FamilyRib,
  prefixId: number,
  stage: Export['stage'],
  changedIsNotBest: boolean,
): RowStanding[] {
  const ends = pipe.links.flatMap(({ out, in: back }) => [out, back]);
  const end = ends.find(({ source }) => source === family);
  if (end === undefined) return [];
  const { paths } = family;
  const rows: RowStanding[] = [];
  for (const { row, best } of standings(family, prefixId)) {
    const attr = paths.attrPost(row);
    if (attr === 0 || !end.admits(row) || (end.veil !== undefined && !best)) continue;
    const there = end.rowFor(row);
    if (stage === 'preexport' || (stage === 'noexport') === (there === 0)) {
      const plain = stage === 'preexport' || there === 0 || end.veil !== undefined;
      const shown = plain ? attr : end.target.paths.attrPost(there);
      const { extras } = family.shared.attrs;
      const another = changedIsNotBest && extras[shown] !== extras[attr];
      rows.push({ row, primary: best && !another, attr: shown });
    }
  }
  return rows;
}

function passesFilter({ policies }: Speaker, { config }: TableRoom, family: FamilyRib, row: number): boolean {
  return policies.kernelFilter(config.localPolicies.install)(family, row) !== undefined;
}

/** Tables that a protocol is attached to. */
function roomsOfProtocol({ rooms, written }: Speaker, declared: DeclaredProtocol): TableRoom[] {
  return [...tablesOfProtocol(declared, written)].flatMap(([version, table]) => {
    return rooms.shown(written, table, version) ?? [];
  });
}

function kernelRows(speaker: Speaker, family: FamilyRib, prefixId: number, wanted: Export): RowStanding[] {
  const { stage, protocol } = wanted;
  const { rooms, written } = speaker;
  const { writesConnected, changedIsNotBest } = traitsOf(written);
  const room = rooms.ofFamily(family);
  const declared = declaredProtocols(written).find(({ name }) => name === protocol);
  if (declared === undefined || !roomsOfProtocol(speaker, declared).includes(room)) return [];
  const { kernel, place, config } = room;
  const best = standings(family, prefixId).find((standing) => standing.best);
  if (best === undefined) return [];
  const { paths } = family;
  const { row } = best;
  const origin = originOf(paths.pathId(row));
  const learned = paths.peerId(row) === place.local.id && origin !== LOCAL_ORIGIN.network;
  // What came from the kernel does not go back.
  const isConnected = origin === LOCAL_ORIGIN.connected;
  if (learned && !(isConnected && (config.kernel.deviceRoutes ?? writesConnected))) return [];
  const desired = kernel?.fib?.route(family.family.id, prefixId)?.desired;
  const installed = desired !== undefined;
  // The kernel has the prefixes of interfaces without being given them.
  const passes = learned ? passesFilter(speaker, room, family, row) : installed;
  if (stage !== 'preexport' && passes === (stage === 'noexport')) return [];
  const standing = { row, primary: true, attr: paths.attrPost(row) };
  if (stage !== 'export' || !best.multipath || desired === undefined) return [standing];
  return [{ ...standing, primary: !changedIsNotBest, hops: desired.nextHops }];
}
