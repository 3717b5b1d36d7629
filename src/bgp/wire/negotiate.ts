// From two OPENs to a session: is the peer's acceptable (RFC 4271 §6.2, RFC 6286, RFC 7607, RFC 9234), and what do
// both sides agree on. Pure; the FSM sends what is thrown here and keeps what is returned.

import { ByteWriter } from '../../lib/bytes.ts';
import {
  type AfiSafi,
  type Capability,
  type CapabilityKind,
  codeOfKind,
  describeCapability,
  encodeCapability,
  roleByValue,
} from './capabilities.ts';
import { ERROR, OPEN_ERROR } from './error-codes.ts';
import { FAMILIES, type Family, IPV4_UNICAST } from './families.ts';
import { MAX_EXTENDED_LENGTH, MAX_MESSAGE_LENGTH } from './header.ts';
import { NotificationError } from './notification.ts';
import { type OpenMessage, openAs } from './open.ts';
import { ROLE, type Role, type SessionContext } from './session-context.ts';

const AFI_IPV6 = 2;
const ADD_PATH_RECEIVE = 1;
const ADD_PATH_SEND = 2;
const MIN_HOLD_TIME = 3;

/** Capabilities that may be required for being there, whatever they say. */
export const REQUIRABLE_KINDS = [
  'route-refresh',
  'enhanced-route-refresh',
  'extended-message',
  'four-octet-as',
  'graceful-restart',
  'long-lived-graceful-restart',
  'fqdn',
] as const satisfies readonly CapabilityKind[];
export type RequirableKind = (typeof REQUIRABLE_KINDS)[number];

/** Capabilities that can be kept from a peer which does not bear them; the others have settings of their own. */
export const WITHHOLDABLE_KINDS = [
  'multiprotocol',
  'route-refresh',
  'enhanced-route-refresh',
  'four-octet-as',
] as const satisfies readonly CapabilityKind[];
/** all: the OPEN has no optional parameter. */
export type WithheldCapabilities = 'all' | readonly (typeof WITHHOLDABLE_KINDS)[number][];

/** RFC 5492 §5: what a session is not wanted without. */
export interface Requirements {
  readonly capabilities: readonly RequirableKind[];
  readonly families: readonly Family[];
  /** Where the family is in use: ADD-PATH in the directions that this side offers, and IPv6 next hops. */
  readonly addPath: readonly Family[];
  readonly extendedNextHop: readonly Family[];
}

/** What this side's configuration asks of the peer's OPEN. */
export interface PeerExpectation {
  /** The own AS where the own OPEN may not say it: without capability 65 it has AS_TRANS for a large one. */
  readonly localAs?: number;
  /** The configured remote AS; undefined where any will do (dynamic peers). */
  readonly peerAs: number | undefined;
  /** RFC 9234 §4.2: the local role, and whether a peer without one is refused. */
  readonly role?: Role | undefined;
  readonly roleStrict?: boolean;
  readonly required?: Requirements | undefined;
}

/** RFC 9234 §4.2, table 2: who may stand on the other side. */
const ROLE_PAIRS: Readonly<Record<Role, Role>> = {
  provider: 'customer',
  customer: 'provider',
  'rs-server': 'rs-client',
  'rs-client': 'rs-server',
  peer: 'peer',
};

/**
 * Checks the peer's OPEN against this side's and computes the session's context. `local` is the OPEN that was sent
 * on this connection. Throws NotificationError 2/2, 2/3, 2/6, 2/7 or 2/11.
 */
export function negotiate(
  local: OpenMessage,
  remote: OpenMessage,
  expectation: PeerExpectation,
): SessionContext {
  checkOpen(local, remote, expectation);
  const localAs = expectation.localAs ?? openAs(local);
  const peerAs = openAs(remote);
  const families = commonFamilies(local, remote);
  const both = (kind: CapabilityKind) => has(local, kind) && has(remote, kind);
  return {
    peerType: localAs === peerAs ? 'internal' : 'external',
    localAs,
    peerAs,
    localId: local.id,
    peerId: remote.id,
    // RFC 4271 §4.2: the smaller of the two; 0 on either side switches it off.
    holdTime: Math.min(local.holdTime, remote.holdTime),
    families,
    as4: both('four-octet-as'),
    // RFC 7911 §5: one side able to send, the other to receive.
    addPathReceive: addPathMask(families, local, remote),
    addPathSend: addPathMask(families, remote, local),
    extendedNextHop: familyMask(families, (f) => offersIpv6NextHop(local, f) && offersIpv6NextHop(remote, f)),
    // RFC 8654 §4: each side's capability says what that side can receive.
    sendLimit: has(remote, 'extended-message') ? MAX_EXTENDED_LENGTH : MAX_MESSAGE_LENGTH,
    receiveLimit: has(local, 'extended-message') ? MAX_EXTENDED_LENGTH : MAX_MESSAGE_LENGTH,
    routeRefresh: both('route-refresh'),
    enhancedRouteRefresh: both('enhanced-route-refresh'),
    knowsLongLived: knowsLongLived(remote),
    localRole: expectation.role,
  };
}

function checkOpen(local: OpenMessage, remote: OpenMessage, expectation: PeerExpectation): void {
  const localAs = expectation.localAs ?? openAs(local);
  const peerAs = openAs(remote);
  // RFC 7607 §2: AS 0 in either place is 2/2, whatever is configured.
  if (peerAs === 0 || remote.myAs === 0) refuse(OPEN_ERROR.badPeerAs, 'AS 0');
  if (expectation.peerAs !== undefined && peerAs !== expectation.peerAs) {
    refuse(OPEN_ERROR.badPeerAs, `AS ${peerAs} instead of ${expectation.peerAs}`);
  }
  // RFC 6286 §2.2: not 0, and within an AS not one's own.
  if (remote.id === 0) refuse(OPEN_ERROR.badIdentifier, 'identifier 0.0.0.0');
  if (remote.id === local.id && peerAs === localAs) {
    refuse(OPEN_ERROR.badIdentifier, "this speaker's own identifier from within its AS");
  }
  // RFC 4271 §6.2: 1 and 2 seconds must be refused.
  if (remote.holdTime > 0 && remote.holdTime < MIN_HOLD_TIME) {
    refuse(OPEN_ERROR.unacceptableHoldTime, `${remote.holdTime} s`);
  }
  // RFC 9234 §4.1: roles are for eBGP.
  if (peerAs !== localAs) checkRole(remote, expectation);
  if (expectation.required !== undefined) checkRequired(local, remote, expectation.required);
}

function checkRole(remote: OpenMessage, expectation: PeerExpectation): void {
  const values = new Set<number>();
  for (const capability of remote.capabilities) {
    if (capability.kind === 'role') values.add(capability.value);
  }
  // RFC 9234 §4.2: several different ones are an error in any case, equal ones count once.
  if (values.size > 1) refuse(OPEN_ERROR.roleMismatch, `roles ${[...values].join(', ')} at once`);
  const local = expectation.role;
  if (local === undefined) return;
  const [value] = values;
  if (value === undefined) {
    if (expectation.roleStrict === true) refuse(OPEN_ERROR.roleMismatch, 'the peer has no role');
    return;
  }
  if (value !== ROLE[ROLE_PAIRS[local]]) {
    refuse(OPEN_ERROR.roleMismatch, `${local} here, ${roleByValue(value) ?? value} there`);
  }
}

/** RFC 5492 §5: 2/7, with the capabilities that are missing as data, as this side's own OPEN would have them. */
function checkRequired(local: OpenMessage, remote: OpenMessage, required: Requirements): void {
  const inUse = (family: Family): boolean => offersFamily(local, family) && offersFamily(remote, family);
  const missing: Capability[] = [
    ...required.capabilities
      .filter(
        (kind) => !has(remote, kind) || (kind === 'long-lived-graceful-restart' && !knowsLongLived(remote)),
      )
      .map((kind) => lastCapability(local, kind) ?? emptyCapability(kind)),
    ...required.families
      .filter((family) => !offersFamily(remote, family))
      .map((family): Capability => ({ kind: 'multiprotocol', ...afiSafi(family) })),
  ];
  const addPath = required.addPath
    .filter((family) => inUse(family) && !answersAddPath(local, remote, family))
    .map((family) => ({ ...afiSafi(family), mode: addPathMode(local, family) }));
  if (addPath.length > 0) missing.push({ kind: 'add-path', entries: addPath });
  const nextHops = required.extendedNextHop
    .filter((family) => inUse(family) && !offersIpv6NextHop(remote, family))
    .map((family) => ({ ...afiSafi(family), nextHopAfi: AFI_IPV6 }));
  if (nextHops.length > 0) missing.push({ kind: 'extended-next-hop', entries: nextHops });
  if (missing.length === 0) return;
  const writer = new ByteWriter();
  for (const capability of missing) encodeCapability(writer, capability);
  throw new NotificationError(
    ERROR.open,
    OPEN_ERROR.unsupportedCapability,
    writer.finish(),
    `without ${missing.map(describeCapability).join(', ')}`,
  );
}

function emptyCapability(kind: CapabilityKind): Capability {
  return { kind: 'unknown', code: codeOfKind(kind), value: new Uint8Array(0), malformed: false };
}

/** Whether the peer sends where this side receives, and receives where it sends. */
function answersAddPath(local: OpenMessage, remote: OpenMessage, family: Family): boolean {
  const offered = addPathMode(local, family);
  const answer = addPathMode(remote, family);
  const receives = (offered & ADD_PATH_RECEIVE) === 0 || (answer & ADD_PATH_SEND) !== 0;
  const sends = (offered & ADD_PATH_SEND) === 0 || (answer & ADD_PATH_RECEIVE) !== 0;
  return receives && sends;
}

function refuse(subcode: number, detail: string): never {
  throw new NotificationError(ERROR.open, subcode, undefined, detail);
}

function has(open: OpenMessage, kind: CapabilityKind): boolean {
  return open.capabilities.some((capability) => capability.kind === kind);
}

/** RFC 9494 §4.1: without graceful restart the capability says nothing. */
function knowsLongLived(open: OpenMessage): boolean {
  return has(open, 'long-lived-graceful-restart') && has(open, 'graceful-restart');
}

/** RFC 4760 §8; RFC 5492 §3: an OPEN that names no family speaks IPv4 unicast. */
function offersFamily(open: OpenMessage, family: Family): boolean {
  if (!has(open, 'multiprotocol')) return family === IPV4_UNICAST;
  return open.capabilities.some((c) => c.kind === 'multiprotocol' && same(c, family));
}

function commonFamilies(local: OpenMessage, remote: OpenMessage): Family[] {
  return FAMILIES.filter((family) => offersFamily(local, family) && offersFamily(remote, family));
}

function addPathMask(families: readonly Family[], receiver: OpenMessage, sender: OpenMessage): number {
  return familyMask(
    families,
    (family) =>
      (addPathMode(receiver, family) & ADD_PATH_RECEIVE) !== 0 &&
      (addPathMode(sender, family) & ADD_PATH_SEND) !== 0,
  );
}

/** RFC 7911 §4: of several entries the last one counts, and a Send/Receive outside 1..3 is ignored. */
function addPathMode(open: OpenMessage, family: Family): number {
  let mode = 0;
  for (const capability of open.capabilities) {
    if (capability.kind !== 'add-path') continue;
    for (const entry of capability.entries) {
      if (same(entry, family) && entry.mode >= 1 && entry.mode <= 3) mode = entry.mode;
    }
  }
  return mode;
}

function offersIpv6NextHop(open: OpenMessage, family: Family): boolean {
  return open.capabilities.some(
    (c) =>
      c.kind === 'extended-next-hop' && c.entries.some((e) => same(e, family) && e.nextHopAfi === AFI_IPV6),
  );
}

function familyMask(families: readonly Family[], holds: (family: Family) => boolean): number {
  return families.reduce((mask, family) => (holds(family) ? mask | (1 << family.id) : mask), 0);
}

function afiSafi({ afi, safi }: Family): AfiSafi {
  return { afi, safi };
}

function same(a: AfiSafi, b: AfiSafi): boolean {
  return a.afi === b.afi && a.safi === b.safi;
}

/** RFC 4724 §3: of several capabilities of one kind the last one counts. */
export function lastCapability<K extends CapabilityKind>(
  open: OpenMessage,
  kind: K,
): Extract<Capability, { kind: K }> | undefined {
  for (let i = open.capabilities.length - 1; i >= 0; i--) {
    const capability = open.capabilities[i]!;
    if (isKind(capability, kind)) return capability;
  }
  return undefined;
}

function isKind<K extends CapabilityKind>(c: Capability, kind: K): c is Extract<Capability, { kind: K }> {
  return c.kind === kind;
}
