// What contradicts itself within one peer, group or dynamic range, after groups were merged: a list of rules, each
// looking at one aspect. A rule points at the key that is wrong, wherever it was written.

import { FAMILIES } from '../bgp/wire/families.ts';
import { type IpVersion, isLinkLocal, parseAddress, versionOf } from '../lib/ip.ts';
import { checkLocalVersion, wantInterface } from './address-checks.ts';
import { checkBfdKey } from './build-bfd.ts';
import type { IssueList } from './issues.ts';
import type { PeerSettings } from './model.ts';
import type { Path } from './nodes.ts';
import type { ResolvedSettings } from './peer-groups.ts';
import type { PeerType } from './peer-settings.ts';
import type { SettingsInput, SettingsKey } from './schema-peer.ts';
import { doubtAboutAsn, parseAsn } from './values.ts';

export interface PeerCase {
  /** How messages call it. */
  readonly label: string;
  readonly path: Path;
  readonly resolved: ResolvedSettings;
  readonly input: SettingsInput;
  readonly settings: PeerSettings;
  /** Undefined where an AS is missing or wrong. */
  readonly type: PeerType | undefined;
  readonly version: IpVersion;
  readonly ownAsn: number | undefined;
}

type Rule = (peer: PeerCase, issues: IssueList) => void;

export function checkPeer(peer: PeerCase, issues: IssueList): void {
  for (const rule of RULES) rule(peer, issues);
}

/** Keys that mean something on one side of the AS border only, and why. */
const ONE_SIDED: Readonly<Partial<Record<SettingsKey, { type: PeerType; why: string }>>> = {
  routeReflectorClient: { type: 'internal', why: 'only iBGP routes are reflected (RFC 4456)' },
  clusterId: { type: 'internal', why: 'only iBGP routes are reflected (RFC 4456)' },
  clientToClient: { type: 'internal', why: 'only iBGP routes are reflected (RFC 4456)' },
  localAs: { type: 'external', why: 'inside an AS everybody has the same AS number' },
  routeServerClient: { type: 'external', why: 'a route server speaks eBGP (RFC 7947)' },
  removePrivateAs: { type: 'external', why: 'AS_PATH is not changed towards iBGP peers' },
  asOverride: { type: 'external', why: 'AS_PATH is not changed towards iBGP peers' },
  allowLocalPref: { type: 'external', why: 'LOCAL_PREF is for iBGP peers always (RFC 4271)' },
  allowMed: { type: 'external', why: 'MED goes to iBGP peers always (RFC 4271)' },
  role: { type: 'external', why: 'roles are for eBGP (RFC 9234)' },
  damping: {
    type: 'external',
    why: 'what an own router has let in must not differ from router to router (RFC 2439)',
  },
  roleStrict: { type: 'external', why: 'roles are for eBGP (RFC 9234)' },
};

const TYPE_NAMES: Readonly<Record<PeerType, string>> = {
  internal: 'iBGP',
  external: 'eBGP',
  confederation: 'intra-confederation',
};

function oneSidedKeys(peer: PeerCase, issues: IssueList): void {
  for (const key of Object.keys(ONE_SIDED) as SettingsKey[]) {
    const row = ONE_SIDED[key];
    const value = peer.input[key];
    const idle = key === 'clientToClient' ? value === true : value === false;
    if (row === undefined || value === undefined || idle) continue;
    if (peer.type === undefined || peer.type === row.type) continue;
    const asn = peer.input.asn;
    issues.error(
      peer.resolved.origin(key),
      `${key} is for ${TYPE_NAMES[row.type]} peers, and this is an ${TYPE_NAMES[peer.type]} peer (AS ${asn}): ${row.why}`,
      row.type === 'internal'
        ? `iBGP is where asn is ${peer.ownAsn ?? 'the own AS'} or internal`
        : `take ${key} out`,
      'key',
    );
  }
}

function uselessKeys(peer: PeerCase, issues: IssueList): void {
  const { input, settings } = peer;
  const useless = (key: SettingsKey, message: string, hint: string): void =>
    issues.warning(peer.resolved.origin(key), message, hint, 'key');
  if (peer.type === 'internal' && !settings.routeReflectorClient) {
    for (const key of ['clusterId', 'clientToClient'] as const) {
      if (input[key] === undefined || input[key] === true) continue;
      useless(key, `${key} has no effect without routeReflectorClient`, 'add routeReflectorClient: true');
    }
  }
  if (settings.roleStrict && settings.role === undefined) {
    useless('roleStrict', 'roleStrict has no effect without a role', 'add role');
  }
  for (const name of FAMILIES.map((family) => family.name)) {
    if (input.require?.includes(name) !== true || settings.families.includes(name)) continue;
    useless('require', `require: ${name} has no effect without the family`, `add ${name} to families`);
  }
  if (
    input.require?.includes('add-path') === true &&
    !settings.addPath.receive &&
    settings.addPath.send === 'none'
  ) {
    useless('require', 'require: add-path has no effect without addPath', 'add addPath: true');
  }
  const { withheld = [] } = settings;
  if (
    (withheld === 'all' || withheld.includes('multiprotocol')) &&
    settings.families.some((name) => name !== 'ipv4-unicast')
  ) {
    useless(
      'withhold',
      'without the multiprotocol capability a session has ipv4-unicast alone (RFC 5492 §3)',
      'leave out the other families',
    );
  }
  if (input.extendedNextHop === true && !settings.families.includes('ipv4-unicast')) {
    useless(
      'extendedNextHop',
      'extendedNextHop has no effect without ipv4-unicast',
      'add ipv4-unicast to families',
    );
  }
  if (peer.type === 'internal' && settings.multihop !== undefined) {
    useless('multihop', 'iBGP may always cross routers; multihop has no effect', 'take it out');
  }
}

/** RFC 2439 §4.2: a threshold that no penalty can pass does nothing. */
function damping(peer: PeerCase, issues: IssueList): void {
  const options = peer.settings.damping;
  if (options === undefined) return;
  const { halfLife, suppress, reuse, maxSuppressTime } = options;
  const at = peer.resolved.origin('damping');
  if (reuse >= suppress) {
    issues.error(
      at,
      `damping: reuse (${reuse}) must be below suppress (${suppress})`,
      'usual are 750 and 6000',
    );
    return;
  }
  const highest = Math.floor(reuse * 2 ** (maxSuppressTime / halfLife));
  if (highest < suppress) {
    issues.error(
      at,
      `damping: no route is ever suppressed: with a halfLife of ${halfLife} s only penalties up to ${highest} fall below ${reuse} within ${maxSuppressTime} s`,
      'lower halfLife or suppress, or raise maxSuppressTime',
    );
  }
}

function asNumbers(peer: PeerCase, issues: IssueList): void {
  for (const key of ['asn', 'localAs'] as const) {
    const value = peer.input[key];
    const asn = value === undefined ? undefined : parseAsn(value);
    const doubt = asn === undefined ? undefined : doubtAboutAsn(asn);
    if (doubt !== undefined) issues.warning(peer.resolved.origin(key), doubt.message, doubt.hint);
  }
  const { asn, confederation, localAs } = peer.settings;
  if (confederation !== undefined && asn === confederation.id) {
    issues.error(
      peer.resolved.origin('asn'),
      `AS ${asn} is the confederation itself`,
      'peers inside have the AS of their member; add it to router.confederation.members',
    );
  }
  if (localAs === undefined || peer.type !== 'external') return;
  const at = peer.resolved.origin('localAs');
  if (localAs === asn) {
    issues.error(at, `localAs ${localAs} is the AS of the peer itself`, 'both sides would take it for iBGP');
  } else if (localAs === (confederation?.id ?? peer.ownAsn)) {
    issues.warning(at, `localAs ${localAs} is shown anyway`, 'take localAs out');
  }
}

function policies(peer: PeerCase, issues: IssueList): void {
  if (peer.type !== 'external' || !peer.resolved.complete) return;
  const missing = (['import', 'export'] as const).filter((key) => !peer.resolved.written(key));
  if (missing.length === 0) return;
  const what =
    missing.length === 2
      ? 'exchanges no routes'
      : missing[0] === 'import'
        ? 'takes no routes'
        : 'gets no routes';
  // A whole group without policy is one mistake.
  const asn = peer.resolved.origin('asn');
  const inGroup = asn[0] === 'peerGroups';
  issues.warning(
    inGroup ? asn.slice(0, -1) : peer.path,
    `${inGroup ? `peer group ${asn[1]}` : peer.label} is eBGP without ${missing.join(' and ')}: it ${what} (RFC 8212)`,
    `add ${missing.map((key) => `${key}: accept`).join(' and ')}, or reject to say so`,
  );
}

/** The kernel signs a connection in one way. */
function signing(peer: PeerCase, issues: IssueList): void {
  if (peer.settings.password === undefined || peer.settings.tcpAo === undefined) return;
  issues.error(
    peer.resolved.origin('authentication'),
    'authentication and password exclude each other',
    'password is TCP MD5; password: false takes the one of the group back, authentication: false the other',
    'key',
  );
}

function limits(peer: PeerCase, issues: IssueList): void {
  const { input, resolved } = peer;
  if (typeof input.maxPrefixes !== 'number' || input.limits?.received === undefined) return;
  issues.error(
    resolved.origin('maxPrefixes'),
    'maxPrefixes and limits.received say the same',
    'take one of them out; maxPrefixes is the short form',
    'key',
  );
}

/** RFC 5082 §3: GTSM counts hops by itself. */
function timeToLive(peer: PeerCase, issues: IssueList): void {
  const { ttlSecurity, multihop } = peer.settings;
  if (ttlSecurity === undefined || multihop === undefined) return;
  issues.error(
    peer.resolved.origin('ttlSecurity'),
    'ttlSecurity and multihop exclude each other',
    'ttlSecurity: N alone allows a peer N hops away; multihop: false takes a multihop of the group back',
    'key',
  );
}

function timers(peer: PeerCase, issues: IssueList): void {
  const { hold, keepalive, minHold, minKeepalive, sendHold, errorWaitMin, errorWaitMax } =
    peer.settings.timers;
  const { input, resolved } = peer;
  if (input.keepaliveTime !== undefined && hold > 0 && keepalive >= hold) {
    issues.error(
      resolved.origin('keepaliveTime'),
      `keepaliveTime ${keepalive} is not below the hold time ${hold}`,
      `a third of it is usual: ${Math.max(1, Math.floor(hold / 3))}`,
    );
  }
  if (input.keepaliveTime !== undefined && hold === 0) {
    issues.warning(
      resolved.origin('keepaliveTime'),
      'with holdTime 0 no keepalives are sent',
      'take keepaliveTime out',
    );
  }
  if (input.sendHoldTime !== undefined && sendHold > 0 && sendHold <= hold) {
    issues.error(
      resolved.origin('sendHoldTime'),
      `sendHoldTime ${sendHold} is not above the hold time ${hold} (RFC 9687)`,
      `480 or twice the hold time is usual, 0 turns it off`,
    );
  }
  if (minHold > hold) {
    issues.error(
      resolved.origin('minHoldTime'),
      `minHoldTime ${minHold} is above holdTime ${hold}: no session could come up`,
      `at most ${hold}`,
    );
  }
  if (minKeepalive > keepalive) {
    issues.error(
      resolved.origin('minKeepaliveTime'),
      `minKeepaliveTime ${minKeepalive} is above the keepalive time ${keepalive}: no session could come up`,
      `at most ${keepalive}`,
    );
  }
  if (errorWaitMin > errorWaitMax) {
    issues.error(
      resolved.origin('errorWaitMin'),
      `errorWaitMin ${errorWaitMin} is above errorWaitMax ${errorWaitMax}`,
      'the wait after errors grows from errorWaitMin to errorWaitMax',
    );
  }
}

function localEnd(peer: PeerCase, issues: IssueList): void {
  const { localAddress, interface: link } = peer.settings;
  if (localAddress === undefined) return;
  const parsed = parseAddress(localAddress);
  if (parsed === undefined) return;
  const at = peer.resolved.origin('localAddress');
  const { bytes, zone } = parsed;
  const isOfVersion = checkLocalVersion(at, versionOf(bytes), peer.version, issues);
  if (isOfVersion && isLinkLocal(bytes) && zone === undefined && link === undefined) {
    wantInterface(at, localAddress, issues);
  }
}

function onLink({ settings, resolved }: PeerCase, issues: IssueList): void {
  if (settings.onlink !== true) return;
  const at = resolved.origin('onlink');
  if (settings.multihop !== undefined || (settings.ttlSecurity ?? 1) > 1) {
    issues.error(at, 'a peer behind routers is not on the link', 'take multihop out, or onlink', 'key');
  } else if (!settings.passive && settings.interface === undefined) {
    issues.error(at, 'the link is not known', 'add interface: eth0, or passive: true', 'key');
  }
}

function nextHops(peer: PeerCase, issues: IssueList): void {
  const { families, nextHop, nextHopAddress, extendedNextHop } = peer.settings;
  const ipv4 = families.includes('ipv4-unicast');
  const ipv6 = families.includes('ipv6-unicast');
  if (nextHop !== 'address') {
    if (nextHop === 'self' && peer.type === 'external') warnOfMissingNextHop(peer, issues);
    return;
  }
  const at = peer.resolved.origin('nextHop');
  const have4 = nextHopAddress.ipv4 !== undefined;
  const have6 = nextHopAddress.ipv6 !== undefined;
  const literal = peer.input.nextHop !== 'address';
  if (!have4 && !have6) {
    issues.error(at, 'nextHop: address needs nextHopAddress', 'add nextHopAddress: { ipv4: ..., ipv6: ... }');
  } else if (literal && have4 && !have6 && !ipv4) {
    issues.error(
      at,
      'an IPv4 next hop for a peer without ipv4-unicast',
      'give an IPv6 address, or add the family',
    );
  } else if (literal && have6 && !have4 && !ipv6 && !extendedNextHop) {
    issues.error(
      at,
      'an IPv6 next hop for a peer without ipv6-unicast',
      'give an IPv4 address, or add extendedNextHop: true (RFC 8950)',
    );
  } else if (ipv4 && !have4 && !(have6 && extendedNextHop)) {
    issues.error(at, 'there is no next hop for ipv4-unicast', 'add nextHopAddress: { ipv4: ... }');
  } else if (ipv6 && !have6) {
    issues.error(at, 'there is no next hop for ipv6-unicast', 'add nextHopAddress: { ipv6: ... }');
  }
}

/** A session of one version that carries the other's routes has no own address to put into them. */
function warnOfMissingNextHop(peer: PeerCase, issues: IssueList): void {
  const { families, nextHopAddress, extendedNextHop } = peer.settings;
  const at = peer.resolved.origin('nextHop');
  if (
    peer.version === 'ipv6' &&
    families.includes('ipv4-unicast') &&
    !extendedNextHop &&
    nextHopAddress.ipv4 === undefined
  ) {
    issues.warning(
      at,
      'over an IPv6 session, self is no next hop for ipv4-unicast',
      'add nextHopAddress: { ipv4: ... }',
    );
  }
  if (peer.version === 'ipv4' && families.includes('ipv6-unicast') && nextHopAddress.ipv6 === undefined) {
    issues.warning(
      at,
      'over an IPv4 session, self is no next hop for ipv6-unicast',
      'add nextHopAddress: { ipv6: ... }',
    );
  }
}

function pathWatch(peer: PeerCase, issues: IssueList): void {
  const { bfd, multihop } = peer.settings;
  const written = peer.input.bfd;
  if (typeof written !== 'object') return;
  const at = peer.resolved.origin('bfd');
  if (bfd?.multihop === false && multihop !== undefined) {
    issues.error(
      [...at, 'multihop'],
      'the peer is behind routers, where BFD of a single hop never comes up',
      'take multihop: false out of bfd',
      'key',
    );
  }
  if (bfd !== undefined) checkBfdKey(written, bfd, at, issues);
}

const RULES: readonly Rule[] = [
  oneSidedKeys,
  uselessKeys,
  asNumbers,
  policies,
  signing,
  limits,
  timeToLive,
  timers,
  localEnd,
  onLink,
  nextHops,
  pathWatch,
  damping,
];
