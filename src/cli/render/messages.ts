// Messages of a peer, one line each.

import type { MessageView } from '../../control/protocol.ts';
import { type Look, safeText } from './style.ts';
import { formatMoment } from './units.ts';

const TYPE_AT = 18;
/** RFC 4271 §4.1, RFC 2918. */
const NAMES = ['?', 'OPEN', 'UPDATE', 'NOTIFICATION', 'KEEPALIVE', 'ROUTE-REFRESH'];
const SHOWN_OCTETS = 24;
const MS_PER_SECOND = 1000;

/** `moment  > UPDATE  45 octets  ffff...`; `>` is sent, `<` received. */
export function renderMessage({ at, sent, octets, connection }: MessageView, { style }: Look): string {
  const name = NAMES[octets[TYPE_AT] ?? 0] ?? '?';
  const rest = Buffer.from(octets.subarray(TYPE_AT + 1));
  const hex = rest.subarray(0, SHOWN_OCTETS).toString('hex') + (rest.length > SHOWN_OCTETS ? '...' : '');
  const moment = `${formatMoment(at)}.${String(Math.floor(at % MS_PER_SECOND)).padStart(3, '0')}`;
  const line = `#${connection} ${sent ? '>' : '<'} ${name.padEnd(13)} ${octets.length} octets  ${hex}`;
  return `${style.dim(moment)}  ${safeText(line.trimEnd())}\n`;
}
