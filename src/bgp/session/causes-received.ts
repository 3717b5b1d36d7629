// Causes of ends that the peer announced with a NOTIFICATION: the rows of cause-table.ts that are recognised by what was
// received. RFC 4271 §4.5, 4486, 5492, 6286, 7313, 8538, 9234, 9384, 9687.

import { CEASE, ERROR, OPEN_ERROR } from '../wire/error-codes.ts';
import type { CauseRow } from './causes.ts';

const { open, cease, holdTimer, sendHoldTimer, messageHeader, update, fsm, routeRefresh } = ERROR;

const ASK_PEER = "ask the peer's operator; its log says more";

export const RECEIVED_CAUSES = [
  {
    code: 'peer-hold-timer',
    on: 'notification-received',
    received: [holdTimer],
    means: 'the peer heard nothing from here for the hold time',
    advice:
      'check the path from here to the peer, its MTU, and the load of this machine (godwit status: loop lag)',
  },
  {
    code: 'peer-send-hold-timer',
    on: 'notification-received',
    received: [sendHoldTimer],
    means: 'the peer could not send for its send hold time',
    advice: 'this side did not read: look at the load of this machine (godwit status: loop lag)',
  },
  {
    code: 'peer-wrong-as',
    on: 'notification-received',
    received: [open, OPEN_ERROR.badPeerAs],
    means: 'the peer expects another AS number of this side',
    advice: 'correct router.asn or localAs here, or the remote AS over there',
  },
  {
    code: 'peer-router-id-clash',
    on: 'notification-received',
    received: [open, OPEN_ERROR.badIdentifier],
    means: 'the peer does not accept the router id of this side',
    advice: 'give each router of the AS a router id of its own (router.id)',
  },
  {
    code: 'peer-hold-time',
    on: 'notification-received',
    received: [open, OPEN_ERROR.unacceptableHoldTime],
    means: 'the peer finds the hold time that is offered here too short',
    advice: 'lengthen timers.hold here',
  },
  {
    code: 'peer-capability',
    on: 'notification-received',
    received: [open, OPEN_ERROR.unsupportedCapability],
    means: 'the peer requires a capability that this side does not announce',
    advice: 'configure the address family or capability here, or have it not required over there',
  },
  {
    code: 'peer-no-capabilities',
    on: 'notification-received',
    received: [open, OPEN_ERROR.unsupportedParameter],
    means: 'the peer does not understand capabilities',
    advice: 'nothing: if it refuses them again, the next OPEN goes without them',
  },
  {
    code: 'peer-role',
    on: 'notification-received',
    received: [open, OPEN_ERROR.roleMismatch],
    means: 'the peer does not accept the BGP role of this side',
    advice: 'agree on who is provider and who customer; correct role on one side',
  },
  {
    code: 'peer-bad-open',
    on: 'notification-received',
    received: [open],
    means: 'the peer does not accept the OPEN of this side',
    advice: ASK_PEER,
  },
  {
    code: 'peer-prefix-limit',
    on: 'notification-received',
    received: [cease, CEASE.maximumPrefixes],
    means: 'this side sent more prefixes than the peer allows',
    advice: 'check the export policy towards the peer; have its limit raised if the number is right',
  },
  {
    code: 'peer-admin-down',
    on: 'notification-received',
    received: [cease, CEASE.administrativeShutdown],
    means: 'an operator of the peer shut the session down',
    advice: 'wait, or ask the peer: a text it sent along is in the sentence',
  },
  {
    code: 'peer-removed-us',
    on: 'notification-received',
    received: [cease, CEASE.peerDeconfigured],
    means: 'this side is no longer configured at the peer',
    advice: ASK_PEER,
  },
  {
    code: 'peer-admin-reset',
    on: 'notification-received',
    received: [cease, CEASE.administrativeReset],
    means: 'an operator of the peer reset the session',
    advice: 'nothing: the session comes back by itself',
  },
  {
    code: 'peer-rejected',
    on: 'notification-received',
    received: [cease, CEASE.connectionRejected],
    means: 'the peer does not want this connection',
    advice:
      'check that the address that this side dials from is the one configured over there, and switched on',
  },
  {
    code: 'peer-config-changed',
    on: 'notification-received',
    received: [cease, CEASE.otherConfigurationChange],
    means: 'the configuration of the peer changed',
    advice: 'nothing: the session comes back by itself',
  },
  {
    code: 'peer-collision',
    on: 'notification-received',
    received: [cease, CEASE.collisionResolution],
    means: 'both sides dialled, and the peer keeps the other connection',
    advice: 'nothing, unless it goes on and on: then make one side passive',
  },
  {
    code: 'peer-out-of-resources',
    on: 'notification-received',
    received: [cease, CEASE.outOfResources],
    means: 'the peer ran out of resources',
    advice: ASK_PEER,
  },
  {
    code: 'peer-bfd-down',
    on: 'notification-received',
    received: [cease, CEASE.bfdDown],
    means: 'BFD of the peer found the path dead',
    advice: 'look at the path: cable, switch, load of this machine; godwit show bfd has the details',
  },
  {
    code: 'peer-bad-update',
    on: 'notification-received',
    received: [update],
    means: 'the peer found an UPDATE of this side malformed',
    advice:
      'get the message (godwit peer NAME record, then capture) and report it with the version of the peer',
  },
  {
    code: 'peer-bad-message',
    on: 'notification-received',
    received: [messageHeader],
    means: 'the peer could not read what this side sent',
    advice:
      'get the messages (godwit peer NAME record, then capture); middleboxes that touch TCP do this, too',
  },
  {
    code: 'peer-unexpected-event',
    on: 'notification-received',
    received: [fsm],
    means: 'the peer got a message that it did not expect',
    advice: ASK_PEER,
  },
  {
    code: 'peer-bad-refresh',
    on: 'notification-received',
    received: [routeRefresh],
    means: 'the peer found a ROUTE-REFRESH of this side malformed',
    advice: ASK_PEER,
  },
  {
    code: 'peer-notification',
    on: 'notification-received',
    means: 'the peer ended the session',
    advice: ASK_PEER,
  },
] as const satisfies readonly CauseRow[];
