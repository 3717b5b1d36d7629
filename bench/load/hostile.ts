// A peer that means harm, in a process of its own beside the load: what it costs the others is what a work measures.
// Its routes carry NO_ADVERTISE (RFC 1997), so that nobody expects them. It starts at once and ends with stdin.

import { connect, type Socket } from 'node:net';
import type { Clock } from '../../src/lib/clock.ts';
import { parseAddress, parseQuad } from '../../src/lib/ip.ts';
import { HEADER_LENGTH, MESSAGE } from '../mrt/update-message.ts';
import type { AbuseName, SessionPlan } from './plan.ts';
import { message, u32 } from './session.ts';

export interface HostilePlan {
  readonly session: SessionPlan;
  readonly abuse: AbuseName;
  readonly target: { readonly address: string; readonly port: number };
  readonly holdTime: number;
}

/** One write of the flood, in messages. */
const FLOOD_MESSAGES = 500;
const FLOOD_PREFIXES = 4096;
/** Of 32 addresses. */
const PART_SHIFT = 5;
const FLAP_ROUTES = 10_000;
const FLAP_STAY_MS = 100;
const RETRY_MS = 20;
/** Connections opened at a time, and how often. */
const CROWD = { count: 100, everyMs: 25, open: 4000 } as const;
/** RFC 8654 §3. */
const LARGEST_MESSAGE = 65_535;
const GARBAGE_OCTETS = 4096;
/** Extended length; a prefix of 27 bits. */
const ATTRIBUTE_HEADER = 4;
const NLRI_OCTETS = 5;
const NO_ADVERTISE = 0xffff_ff02;
const CAPABILITIES = [1, 4, 0, 1, 0, 1, 6, 0, 65, 4] as const;

/** Does what the plan says until the process ends; calls `ready` when it has begun to. */
export function abuse(plan: HostilePlan, clock: Clock, ready: () => void): void {
  ABUSES[plan.abuse](new Attacker(plan, clock), ready);
}

class Attacker {
  readonly plan: HostilePlan;
  readonly clock: Clock;

  constructor(plan: HostilePlan, clock: Clock) {
    this.plan = plan;
    this.clock = clock;
  }

  /** A connection without a word. */
  dial(onClose: () => void): Socket {
    const { target, session } = this.plan;
    const socket = connect({ host: target.address, port: target.port, localAddress: session.localAddress });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', onClose);
    return socket;
  }

  /** A session that is Established when `onEstablished` is called, and again after each loss. */
  session(onEstablished: (socket: Socket) => void, reads = true): void {
    const again = () => this.clock.setTimer(RETRY_MS, () => this.session(onEstablished, reads));
    const socket = this.dial(again);
    let established = false;
    const beat = () => {
      if (socket.destroyed) return;
      socket.write(message(MESSAGE.keepalive, []));
      this.clock.setTimer((this.plan.holdTime * 1000) / 3, beat);
    };
    socket.on('connect', () => socket.write(this.#open()));
    socket.on('data', (octets) => {
      // The peer's OPEN comes first: with the KEEPALIVE behind it the session is up, and nothing else is of interest.
      if (established || octets[HEADER_LENGTH - 1] !== MESSAGE.open) return;
      established = true;
      beat();
      if (!reads) socket.pause();
      onEstablished(socket);
    });
  }

  /** Writes what `next` gives for as long as the kernel takes it. */
  pour(socket: Socket, next: () => Uint8Array): void {
    const pump = () => {
      if (socket.destroyed) return;
      // A turn between two writes: its own keepalives must go out, too.
      if (socket.write(next())) setImmediate(pump);
      else socket.once('drain', pump);
    };
    pump();
  }

  /** One prefix of the attacker's, with a MED that makes it another route each time. */
  update(prefix: number, med: number, padding: readonly number[] = []): Buffer {
    const { session } = this.plan;
    const nextHop = [...parseAddress(session.localAddress)!.bytes];
    const attributes = [
      ...[0x40, 1, 1, 0],
      ...[0x40, 2, 6, 2, 1, ...u32(session.asn)],
      ...[0x40, 3, 4, ...nextHop],
      ...[0x80, 4, 4, ...u32(med)],
      ...[0xc0, 8, 4, ...u32(NO_ADVERTISE)],
      ...padding,
    ];
    // 198.18.0.0/15 (RFC 2544) in as many parts: routes of nobody else.
    const part = (prefix % FLOOD_PREFIXES) << PART_SHIFT;
    const nlri = [27, 198, 18 + (part >> 16), (part >> 8) & 255, part & 255];
    return message(MESSAGE.update, [
      0,
      0,
      attributes.length >> 8,
      attributes.length & 255,
      ...attributes,
      ...nlri,
    ]);
  }

  #open(): Buffer {
    const { session, holdTime } = this.plan;
    const capabilities = [...CAPABILITIES, ...u32(session.asn)];
    return message(MESSAGE.open, [
      ...[4, session.asn >> 8, session.asn & 255, holdTime >> 8, holdTime & 255],
      ...u32(parseQuad(session.id)!),
      ...[capabilities.length + 2, 2, capabilities.length],
      ...capabilities,
    ]);
  }
}

type Abuse = (attacker: Attacker, ready: () => void) => void;

const ABUSES: Readonly<Record<AbuseName, Abuse>> = {
  /** There, and silent: what the others are compared with. */
  none: (attacker, ready) => attacker.session(ready),
  /** Changes of a few thousand routes, a message each, as fast as they go. */
  flood: (attacker, ready) => {
    let count = 0;
    attacker.session((socket) => {
      ready();
      attacker.pour(socket, () => {
        const batch = Array.from({ length: FLOOD_MESSAGES }, () => {
          count++;
          return attacker.update(count % FLOOD_PREFIXES, count);
        });
        return Buffer.concat(batch);
      });
    });
  },
  /** Comes, announces (some routes twice), goes without a word, comes back. */
  flap: (attacker, ready) => {
    const routes = Buffer.concat(Array.from({ length: FLAP_ROUTES }, (_, i) => attacker.update(i, i)));
    attacker.session((socket) => {
      ready();
      socket.write(routes);
      attacker.clock.setTimer(FLAP_STAY_MS, () => socket.destroy());
    });
  },
  /** The largest messages there are, nearly all of them one unknown attribute, each another one. */
  large: (attacker, ready) => {
    const room = LARGEST_MESSAGE - attacker.update(0, 0).length - ATTRIBUTE_HEADER;
    const padding = [0xf0, 200, room >> 8, room & 255, ...new Array<number>(room).fill(0)];
    const one = attacker.update(0, 0, padding);
    const fill = one.length - NLRI_OCTETS - Uint32Array.BYTES_PER_ELEMENT;
    let count = 0;
    attacker.session((socket) => {
      ready();
      attacker.pour(socket, () => {
        const next = Buffer.from(one);
        next.writeUInt32BE(++count, fill);
        return next;
      });
    });
  },
  /** Reads nothing of all that it is sent. */
  deaf: (attacker, ready) => attacker.session(ready, false),
  /** Thousands of connections that say nothing. */
  crowd: (attacker, ready) => {
    let open = 0;
    const more = () => {
      for (let i = 0; i < CROWD.count && open < CROWD.open; i++) {
        open++;
        attacker.dial(() => open--);
      }
      attacker.clock.setTimer(CROWD.everyMs, more);
    };
    more();
    ready();
  },
  /** Anything but BGP, connection after connection. */
  garbage: (attacker, ready) => {
    let seed = 1;
    const noise = () => {
      const octets = Buffer.alloc(GARBAGE_OCTETS);
      for (let i = 0; i < octets.length; i++) {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        octets[i] = seed >>> 24;
      }
      return octets;
    };
    const call = () => {
      const socket = attacker.dial(() => attacker.clock.setTimer(1, call));
      socket.on('connect', () => attacker.pour(socket, noise));
      socket.resume();
    };
    call();
    ready();
  },
};
