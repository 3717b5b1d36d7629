// What is followed of one peer while somebody wants to see it: its states, what it does, its messages and its routes.
// Where nothing is asked for, nothing is attached to it, and nobody looks.

import type { FsmState } from '../../bgp/session/fsm-events.ts';
import type { TapedMessage } from '../../bgp/session/message-tape.ts';
import { HEADER_LENGTH } from '../../bgp/wire/header.ts';
import { MESSAGE_TYPE } from '../../bgp/wire/iana.ts';
import type { DebugFlag } from '../../config/bird/trace-flags.ts';
import { formatAddress } from '../../lib/ip.ts';
import type { Dialect } from '../../policy/lexer.ts';
import type { Rib } from '../../rib/rib.ts';
import { peerState } from '../bird/bgp-view.ts';
import type { EstablishedPeer } from '../established-peer.ts';
import type { PeerHandle } from '../peer-registry.ts';
import { packetLines } from './packet-lines.ts';
import { ImportTracer, type RouteWords } from './route-tracer.ts';
import { SentRoutes } from './sent-routes.ts';
import { stateLines, type ToldState } from './state-lines.ts';
import { WithheldRoutes } from './withheld-routes.ts';

const MS_PER_SECOND = 1000;

/** What is asked for of a peer: `routes` and `filters` also where only a channel is asked for them. */
export type PeerFlags = ReadonlySet<DebugFlag>;

export interface PeerTraceParts {
  readonly rib: Rib;
  readonly words: RouteWords;
  readonly dialect: Dialect;
  /** Writes `peer: text`. */
  say(name: string, text: string): void;
}

export class PeerTrace {
  readonly #handle: PeerHandle;
  readonly #parts: PeerTraceParts;
  #flags: PeerFlags = new Set();
  #state: FsmState;
  #told: ToldState;
  #unfollow: (() => void) | undefined;
  #withheld: { readonly of: EstablishedPeer; readonly routes: WithheldRoutes } | undefined;
  #sent: { readonly of: EstablishedPeer; readonly routes: SentRoutes } | undefined;

  constructor(handle: PeerHandle, parts: PeerTraceParts, isNew: boolean) {
    this.#handle = handle;
    this.#parts = parts;
    this.#state = isNew ? 'Idle' : handle.peer.state;
    this.#told = isNew ? 'down' : toldState(handle);
  }

  /** Follows what is asked for from now on. */
  use(flags: PeerFlags): void {
    this.#flags = flags;
    const follows = flags.has('packets') || flags.has('routes') || flags.has('events');
    if (!follows) {
      this.#unfollow?.();
      this.#unfollow = undefined;
      this.#sent = undefined;
    } else this.#unfollow ??= this.#handle.peer.tape.follow((message) => this.#heard(message));
    this.#attach(false);
  }

  /** The peer's state is another one, perhaps. */
  changed(): void {
    this.#attach(true);
    const { peer } = this.#handle;
    const before = this.#state;
    this.#state = peer.state;
    const told = toldState(this.#handle);
    const lines = stateLines(this.#told, told, this.#parts.dialect);
    const begins = this.#told === 'down';
    this.#told = told;
    const tellStates = (): void => {
      if (this.#flags.has('states')) for (const line of lines) this.#say(line);
      if (this.#flags.has('events') && told === 'start' && lines.length > 0) this.#say('Started');
    };
    if (begins) tellStates();
    if (before !== this.#state && this.#flags.has('events')) this.#tellEvents(before, this.#state);
    if (!begins) tellStates();
  }

  /** The peer is no more. */
  close(): void {
    this.use(new Set());
  }

  #say(text: string): void {
    this.#parts.say(this.#handle.name, text);
  }

  /** A session has a peer of the RIB of its own. `begins`: it may have come up just now. */
  #attach(begins: boolean): void {
    const { established } = this.#handle;
    const withheldOf = this.#flags.has('filters') ? established : undefined;
    if (this.#withheld?.of !== withheldOf) {
      this.#withheld?.routes.close();
      const { rib, words } = this.#parts;
      const routes = withheldOf && new WithheldRoutes(rib, withheldOf, words, begins);
      this.#withheld = routes && withheldOf && { of: withheldOf, routes };
    }
    const ribPeer = established?.ribPeer;
    if (ribPeer === undefined) return;
    const follows = this.#flags.has('routes') || this.#flags.has('filters');
    if (!follows) ribPeer.tracer = undefined;
    else ribPeer.tracer ??= new ImportTracer(ribPeer, this.#parts.words);
  }

  #heard({ sent, octets, connection }: TapedMessage): void {
    if (sent && octets[HEADER_LENGTH - 1] === MESSAGE_TYPE.open && this.#flags.has('events')) {
      const { address, port, zone } = connection.remote;
      const from = `${formatAddress(address, zone)} (port ${port})`;
      const isDialled = connection.initiator === 'local';
      this.#say(isDialled ? 'Connected' : `Incoming connection from ${from} accepted`);
    }
    if (this.#flags.has('packets')) {
      for (const line of packetLines(octets, sent, this.#parts.dialect)) this.#say(line);
    }
    const { established } = this.#handle;
    if (!sent || established === undefined || !this.#flags.has('routes')) return;
    if (this.#sent?.of !== established) {
      this.#sent = {
        of: established,
        routes: new SentRoutes(this.#parts.rib, established, this.#parts.words),
      };
    }
    this.#sent.routes.sent(octets);
  }

  #tellEvents(before: FsmState, after: FsmState): void {
    const { peer, address } = this.#handle;
    if (before === 'Established') this.#say('BGP session closed');
    switch (after) {
      case 'Connect': {
        const { localAddress } = peer;
        const from = localAddress === undefined ? '' : ` from local address ${formatAddress(localAddress)}`;
        this.#say(`Connecting to ${formatAddress(address.bytes, address.zone)}${from}`);
        break;
      }
      case 'Established':
        this.#say('BGP session established');
        break;
      case 'Idle':
      case 'Active':
        this.#tellEnd(before);
        break;
      default:
    }
  }

  /** It has no connection, or none any more. */
  #tellEnd(before: FsmState): void {
    const { peer } = this.#handle;
    const { lastDown } = peer;
    if (!peer.adminUp) {
      this.#say('Shutdown requested');
      this.#say('Down');
      return;
    }
    if (before !== 'Idle' && before !== 'Active' && lastDown !== undefined) {
      this.#say(`Connection lost (${lastDown.sentence})`);
    }
    const delay = peer.timersLeft.connectRetry ?? peer.timersLeft.idleHold;
    if (delay !== undefined && !peer.options.passive) {
      this.#say(`Connect delayed by ${Math.round(delay / MS_PER_SECOND)} seconds`);
    }
  }
}

function toldState(handle: PeerHandle): ToldState {
  const state = peerState(handle, false);
  return state === 'up' || state === 'down' ? state : 'start';
}
