// Changes as they happen, one line each.

import type { PeerChange, RouteChange } from '../../control/protocol.ts';
import { statePaint } from './peers.ts';
import { type Look, safeText } from './style.ts';
import { formatMoment } from './units.ts';

export function renderPeerChange({ peer }: PeerChange, look: Look): string {
  const state = statePaint(peer, look)(peer.adminUp ? peer.state : `${peer.state}, switched off`);
  const name = peer.name === peer.address ? peer.name : `${peer.name} (${peer.address})`;
  const error = peer.state === 'Established' || peer.lastError === undefined ? '' : `: ${peer.lastError}`;
  return `${look.style.dim(formatMoment(look.now))}  ${safeText(name)} ${state}${safeText(error)}\n`;
}

export function renderRouteChange({ prefix, best }: RouteChange, look: Look): string {
  const { style } = look;
  const moment = style.dim(formatMoment(look.now));
  if (best === undefined) return `${moment}  ${style.bad('-')} ${safeText(prefix)}\n`;
  const path = best.attributes.asPath === '' ? '' : `, path ${best.attributes.asPath}`;
  const text = `${prefix} via ${best.nextHop} from ${best.peer}${path}`;
  return `${moment}  ${style.good('+')} ${safeText(text)}\n`;
}
