// Every cause of a session's end or of a failed attempt, as rows: the code for programs (part of godwit's interface),
// what it means, what a person can do, and what it is recognised by. The first row that fits counts; the last row of
// each DownCause fits always. causes.ts reads the table; what the peer announces is causes-received.ts's.
// Codes of RFC 4271 §4.5, 4486, 5492, 6286, 7313, 8538, 9234, 9384, 9687.

import { CEASE, ERROR, OPEN_ERROR } from '../wire/error-codes.ts';
import type { CauseRow } from './causes.ts';
import { RECEIVED_CAUSES } from './causes-received.ts';

const { open, cease, messageHeader, update } = ERROR;

const TTL_ADVICE = 'count the hops to the peer; ttlSecurity must be set on both sides and to as many hops';
const MALFORMED = 'look at the message (godwit peer NAME capture) and report it to the maker of the peer';

export const CAUSE_TABLE = [
  // ----- ended by this side
  {
    code: 'peer-removed',
    on: 'admin-stop',
    sent: [cease, CEASE.peerDeconfigured],
    means: 'the peer is no longer configured here',
    advice: 'nothing; configure it again if that was not meant',
  },
  {
    code: 'admin-down',
    on: 'admin-stop',
    means: 'the peer was stopped by an operator of this side',
    advice: 'start it again with: godwit peer NAME up',
  },
  {
    code: 'config-changed',
    on: 'admin-reset',
    sent: [cease, CEASE.otherConfigurationChange],
    means: 'a changed setting needs a new session',
    advice: 'nothing: the session comes back by itself',
  },
  {
    code: 'admin-reset',
    on: 'admin-reset',
    means: 'the session was reset by an operator of this side',
    advice: 'nothing: the session comes back by itself',
  },
  {
    code: 'prefix-limit',
    on: 'automatic-stop',
    sent: [cease, CEASE.maximumPrefixes],
    means: 'the peer sent more prefixes than its limit allows',
    advice:
      'find out why it sends so many; raise its limits only if it may; then: godwit peer NAME reset (or up)',
  },
  {
    code: 'bfd-down',
    on: 'automatic-stop',
    sent: [cease, CEASE.bfdDown],
    means: 'BFD found the path to the peer dead',
    advice: 'look at the path: cable, switch, the peer itself; godwit show bfd has the details',
  },
  {
    code: 'ended-here',
    on: 'automatic-stop',
    means: 'this side ended the session by itself',
    advice: "look at this side's log for the reason",
  },
  {
    code: 'ttl-suspected',
    on: 'hold-timer',
    states: ['OpenSent', 'OpenConfirm'],
    suspect: 'ttl',
    means: 'the peer has connected, and its messages seem to come with a TTL too low for ttlSecurity (GTSM)',
    advice: TTL_ADVICE,
  },
  {
    code: 'md5-suspected',
    on: 'hold-timer',
    suspect: 'changed-key',
    means:
      'nothing valid came from the peer for the hold time, and it looks like a key that one side has changed',
    advice:
      'compare the password (or key) of both sides, and whether it was changed on one of them only; then the path',
  },
  {
    code: 'hold-timer',
    on: 'hold-timer',
    means: 'nothing came from the peer for the hold time',
    advice:
      'check the path and the load of both sides; an MTU that large packets do not pass looks like this',
  },
  {
    code: 'send-hold-timer',
    on: 'send-hold-timer',
    means: 'the peer took no data for the send hold time',
    advice: 'the peer is overloaded or stuck: look at it, and at what the path does with large packets',
  },
  // ----- faults in the peer's messages
  {
    code: 'wrong-as',
    on: 'notification-sent',
    sent: [open, OPEN_ERROR.badPeerAs],
    means: 'the AS number in the OPEN of the peer is not the configured one',
    advice: 'correct asn of the peer here, or the local AS over there; its OPEN says which it is',
  },
  {
    code: 'router-id-clash',
    on: 'notification-sent',
    sent: [open, OPEN_ERROR.badIdentifier],
    means: 'the router id of the peer is 0.0.0.0 or the same as here',
    advice:
      "give each router of the AS a router id of its own, and the peer another address than one of this machine's",
  },
  {
    code: 'hold-time',
    on: 'notification-sent',
    sent: [open, OPEN_ERROR.unacceptableHoldTime],
    means: 'the hold time that the peer offers is too short',
    advice: 'lengthen it over there, or lower timers.minHold here',
  },
  {
    code: 'capability',
    on: 'notification-sent',
    sent: [open, OPEN_ERROR.unsupportedCapability],
    means: 'the peer lacks a capability that is required here',
    advice: 'switch the address family or capability on over there, or do not require it here',
  },
  {
    code: 'role',
    on: 'notification-sent',
    sent: [open, OPEN_ERROR.roleMismatch],
    means: 'the BGP roles of the two sides do not fit together',
    advice: 'agree on who is provider and who customer; correct role on one side',
  },
  {
    code: 'bad-open',
    on: 'notification-sent',
    sent: [open],
    means: 'the OPEN of the peer cannot be accepted',
    advice: MALFORMED,
  },
  {
    code: 'bad-header',
    on: 'notification-sent',
    sent: [messageHeader],
    means: 'what the peer sent is no BGP message',
    advice:
      'make sure that a BGP speaker is at the other end, and nothing on the way that changes what it says',
  },
  {
    code: 'bad-update',
    on: 'notification-sent',
    sent: [update],
    means: 'an UPDATE of the peer is malformed beyond what may be ignored',
    advice: MALFORMED,
  },
  {
    code: 'bad-message',
    on: 'notification-sent',
    means: 'a message of the peer breaks the protocol',
    advice: MALFORMED,
  },
  {
    code: 'unexpected-event',
    on: 'fsm',
    means: 'the peer sent a message out of turn, or nobody answered in time',
    advice: MALFORMED,
  },
  ...RECEIVED_CAUSES,
  // ----- connections
  {
    code: 'collision',
    on: 'collision',
    means: 'both sides dialled, and the other connection is kept',
    advice: 'nothing',
  },
  {
    code: 'peer-restarted',
    on: 'peer-restarted',
    means: 'the peer restarted and opened a new connection',
    advice: 'nothing: its routes are kept until it has sent them again',
  },
  {
    code: 'md5-suspected',
    on: 'connect-failed',
    transport: ['ENOKEY', 'EKEYEXPIRED', 'EKEYREVOKED', 'EKEYREJECTED'],
    means: 'the keys of the two sides do not fit together',
    advice: 'compare the password (or key) of both sides, and whether both have one',
  },
  {
    code: 'md5-suspected',
    on: 'connect-failed',
    transport: ['ETIMEDOUT', undefined],
    suspect: 'key',
    means:
      'nobody answers, and it looks like different TCP-MD5 passwords, or a machine where BGP does not run',
    advice:
      'compare the password of both sides, and whether both have one; see that BGP runs there: a refusal is not signed',
  },
  {
    code: 'ttl-suspected',
    on: 'connect-failed',
    transport: ['ETIMEDOUT', undefined],
    suspect: 'ttl',
    means: 'nobody answers, and it looks like a TTL that is too low for ttlSecurity (GTSM)',
    advice: TTL_ADVICE,
  },
  {
    code: 'no-answer',
    on: 'connect-failed',
    transport: ['ETIMEDOUT', undefined],
    means: 'nobody answers at the address of the peer',
    advice:
      'ping the peer; check that BGP runs there, its address, firewalls on the way, and that the password (if any) is the same',
  },
  {
    code: 'refused',
    on: 'connect-failed',
    transport: ['ECONNREFUSED'],
    means: 'the host of the peer refuses the connection',
    advice: 'start the BGP speaker there, check its address and port, and firewalls that reject',
  },
  {
    code: 'unreachable',
    on: 'connect-failed',
    transport: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENONET'],
    means: 'there is no way to the address of the peer',
    advice:
      'check routes and neighbours (ip route get ADDRESS); a peer that is not on the link needs multihop',
  },
  {
    code: 'local-address',
    on: 'connect-failed',
    transport: ['EADDRNOTAVAIL', 'EADDRINUSE', 'ENODEV'],
    means: 'the local address, port or interface of the peer cannot be used',
    advice: 'correct localAddress, localPort or interface, or configure the address on this machine',
  },
  {
    code: 'no-tcp-ao',
    on: 'connect-failed',
    transport: ['ENOPROTOOPT'],
    means: 'this kernel cannot sign the connection as configured',
    advice: 'boot Linux 6.7 or later built with CONFIG_TCP_AO, or use password (TCP-MD5) on both sides',
  },
  {
    code: 'not-permitted',
    on: 'connect-failed',
    transport: ['EACCES', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP'],
    means: 'the system does not let this process connect as configured',
    advice: 'give the process the capability that is missing, or take the option out; the sentence names it',
  },
  {
    code: 'no-descriptors',
    on: 'connect-failed',
    transport: ['EMFILE', 'ENFILE'],
    means: 'no file descriptor is left for another connection',
    advice:
      'raise the limit (ulimit -n, LimitNOFILE= of a systemd unit), or see who holds them (ls -l /proc/PID/fd): established sessions go on',
  },
  {
    code: 'connect-failed',
    on: 'connect-failed',
    means: 'the connection could not be made',
    advice: 'the system said why; the sentence has its words',
  },
  {
    code: 'closed-before-open',
    on: 'connection-lost',
    states: ['OpenSent'],
    means: 'the peer took the connection and closed it before it said anything',
    advice:
      'most likely this side is not configured there: check the address that it dials from, and the AS numbers; or the peer waits after an error or a shutdown (BIRD up to 300 s)',
  },
  {
    code: 'connection-timeout',
    on: 'connection-lost',
    transport: ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN'],
    means: 'the network between the two sides stopped working',
    advice: 'check the path to the peer (ip route get ADDRESS, ping)',
  },
  {
    code: 'connection-reset',
    on: 'connection-lost',
    transport: ['ECONNRESET', 'EPIPE', 'ECONNABORTED'],
    means: 'the host of the peer reset the connection',
    advice: 'the peer crashed or was killed, or a firewall forgot the connection: look at the peer',
  },
  {
    code: 'connection-closed',
    on: 'connection-lost',
    means: 'the connection ended without a NOTIFICATION',
    advice: 'the peer was stopped or restarted, or its process died: look at the peer',
  },
  {
    code: 'interface-down',
    on: 'link-down',
    means: 'the interface that the peer is on went down',
    advice: 'check the cable, the port and the other end (ip link); the session comes back with the link',
  },
  {
    code: 'internal-error',
    on: 'internal-error',
    means: 'a fault or a lack of resources on this side',
    advice: 'report it with the log line and the journal around it (godwit events)',
  },
] as const satisfies readonly CauseRow[];
