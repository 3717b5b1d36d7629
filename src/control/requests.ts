// Checks of requests before they reach the speaker, for clients of any kind: what is refused here is refused with
// a sentence that says what was expected.

import { FAMILIES, type FamilyName, familyByName } from '../bgp/wire/families.ts';
import { formatPrefix, parseAddress, parsePrefix } from '../lib/ip.ts';
import type { JournalQuery } from '../speaker/api/journal.ts';
import type { SpeakerApi } from '../speaker/api.ts';
import {
  CommandError,
  type EventsRequest,
  PEER_ACTIONS,
  type PeerAction,
  type PeerActionRequest,
  type PeerView,
  type RouteQuery,
  type RoutesRequest,
  type WatchRoutesRequest,
} from './protocol.ts';

/** RFC 9003 §2: one octet of length. */
const MAX_REASON_OCTETS = 255;

/** Throws unless `text` is a prefix or, where that is allowed, an address. */
export function checkPrefix(text: string, expected: 'prefix' | 'prefix or address'): void {
  if (parsePrefix(text) !== undefined) return;
  const loose = parsePrefix(text, true);
  if (loose !== undefined) {
    const meant = formatPrefix(loose);
    throw new CommandError(
      'invalid',
      `${text} has bits set outside its length; ${meant} was probably meant.`,
    );
  }
  if (expected === 'prefix or address' && parseAddress(text) !== undefined) return;
  throw new CommandError('invalid', `${quote(text)} is not a ${expected}; write it like 192.0.2.0/24.`);
}

function checkFamily(text: string): FamilyName {
  const family = familyByName(text);
  if (family === undefined) {
    const names = FAMILIES.map((each) => each.name).join(', ');
    throw new CommandError('invalid', `${quote(text)} is not an address family; there are: ${names}.`);
  }
  return family.name;
}

/** The peers of that name or address, or all. Throws not-found. */
export function findPeers(peers: PeerView[], name: string | undefined): PeerView[] {
  if (name === undefined) return peers;
  const byName = peers.filter((peer) => peer.name === name);
  const found = byName.length > 0 ? byName : peers.filter((peer) => peer.address === name);
  if (found.length === 0) throw new CommandError('not-found', `There is no peer ${quote(name)}.`);
  return found;
}

/** The name of the peer that an operator means: its name or its address. What is neither is left as it is. */
export function peerNameOf(api: Pick<SpeakerApi, 'peers'>, text: string): string {
  if (parseAddress(text) === undefined) return text;
  const peers = api.peers();
  if (peers.some((peer) => peer.name === text)) return text;
  const [only, ...others] = peers.filter((peer) => peer.address === text);
  if (others.length > 0) {
    const names = [only, ...others].map((peer) => peer?.name).join(', ');
    throw new CommandError('invalid', `Several peers have the address ${text}; use a name: ${names}.`);
  }
  return only?.name ?? text;
}

/** RouteQuery of a request. Throws invalid. */
export function routeQuery(api: Pick<SpeakerApi, 'peers'>, request: RoutesRequest): RouteQuery {
  const query: RouteQuery = { ...watchQuery(request) };
  if (request.receivedFrom !== undefined) query.receivedFrom = peerNameOf(api, request.receivedFrom);
  if (request.advertisedTo !== undefined) query.advertisedTo = peerNameOf(api, request.advertisedTo);
  if (request.table !== undefined) query.table = request.table;
  if (request.bestOnly === true) query.bestOnly = true;
  if (request.rejectedOnly === true) query.rejectedOnly = true;
  if (request.beforePolicy === true) query.beforePolicy = true;
  if (query.advertisedTo !== undefined && (query.rejectedOnly === true || query.beforePolicy === true)) {
    throw new CommandError('invalid', 'What a peer is sent has no rejected paths and no import policy.');
  }
  if (query.bestOnly === true && query.rejectedOnly === true) {
    throw new CommandError('invalid', 'A rejected path is never the best one: ask for one of the two.');
  }
  return query;
}

/** The conditions that lists and watches of routes share. Throws invalid. */
export function watchQuery(request: WatchRoutesRequest): {
  family?: FamilyName;
  prefix?: string;
  longer?: boolean;
} {
  if (request.prefix !== undefined) checkPrefix(request.prefix, 'prefix or address');
  if (request.longer === true && (request.prefix === undefined || !request.prefix.includes('/'))) {
    throw new CommandError('invalid', 'Longer prefixes need a prefix to be inside of.');
  }
  return {
    ...(request.family !== undefined && { family: checkFamily(request.family) }),
    ...(request.prefix !== undefined && { prefix: request.prefix }),
    ...(request.longer === true && { longer: true }),
  };
}

const AGE = /^(\d+)(s|m|h|d)$/;
const AGE_UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DIGITS = 12;

/** The moment that `10m` (ago) or a date means, wall-clock milliseconds. Throws invalid. */
export function sinceMoment(text: string, now: number): number {
  const [, number = '', unit = ''] = AGE.exec(text) ?? [];
  const age =
    number.length > 0 && number.length <= DIGITS ? Number(number) * (AGE_UNIT_MS[unit] ?? 0) : undefined;
  const moment = age === undefined ? Date.parse(text) : now - age;
  if (Number.isFinite(moment)) return moment;
  throw new CommandError(
    'invalid',
    `${quote(text)} is no time: write an age like 90s, 10m, 2h or 1d, or a date like 2026-01-31T08:00:00.`,
  );
}

/** JournalQuery of a request. Throws invalid. */
export function eventsQuery(
  api: Pick<SpeakerApi, 'peers'>,
  { peer, since }: EventsRequest,
  now: number,
): JournalQuery {
  return {
    ...(peer !== undefined && { peer: peerNameOf(api, peer) }),
    ...(since !== undefined && { since: sinceMoment(since, now) }),
  };
}

/** The action of a request whose options fit it. Throws invalid. */
export function checkPeerAction(request: PeerActionRequest): PeerAction {
  const { action, reason, direction } = request;
  if (request.name === '') throw new CommandError('invalid', 'The name of the peer is missing.');
  if (action === undefined) {
    throw new CommandError('invalid', `The action is missing; there are: ${PEER_ACTIONS.join(', ')}.`);
  }
  if (reason !== undefined && action !== 'down' && action !== 'reset') {
    throw new CommandError('invalid', `A reason can be given for down and reset, not for ${action}.`);
  }
  if (reason !== undefined && Buffer.byteLength(reason) > MAX_REASON_OCTETS) {
    throw new CommandError('invalid', `The reason is longer than ${MAX_REASON_OCTETS} octets.`);
  }
  if (direction !== undefined && action !== 'refresh') {
    throw new CommandError('invalid', `A direction can be given for refresh, not for ${action}.`);
  }
  return action;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
