// The Linux kernel behind the Kernel interface, on the calling thread: a socket for writing, one for each scan, one
// for notifications. Writing is synchronous (some milliseconds a thousand routes), so the product runs this inside
// netlink-worker.ts; tests and tools may use it directly.

import { viewOf } from '../../lib/bytes.ts';
import { ERRNO } from '../errno.ts';
import type {
  Kernel,
  KernelAddress,
  KernelEvents,
  KernelLink,
  KernelTarget,
  RouteBatch,
  RouteFailure,
  RouteRows,
} from '../types.ts';
import { NLM_F, NLMSG, RTM, RTMGRP } from './constants.ts';
import type { Libc } from './libc.ts';
import { decodeAddress, decodeLink } from './link-codec.ts';
import { decodeAnswer, encodeDumpRequest, forEachMessage, type NetlinkMessage } from './messages.ts';
import { decodeNextHop } from './next-hop-codec.ts';
import { decodeRoute, newRouteRecord } from './route-decode.ts';
import { BYTES_PER_SEND, RouteWriter } from './route-writer.ts';
import { RowBuilder } from './row-builder.ts';
import { MSG_DONTWAIT, NetlinkError, NetlinkSocket, RECEIVE_BYTES } from './socket.ts';

const REQUEST_BUFFER_BYTES = 8 * 1024 * 1024;
const EVENT_BUFFER_BYTES = 64 * 1024 * 1024;
const SCAN_ROWS = 4096;
const EVENT_ROWS = 1024;
/** Where changes never pause, the last of so many dumps is taken as it is. */
const MOST_DUMPS = 5;
/** Datagrams handled in one turn, so that writes and notifications get theirs while a scan runs. */
const DATAGRAMS_PER_TURN = 32;
const ALL_GROUPS =
  RTMGRP.link |
  RTMGRP.ipv4Address |
  RTMGRP.ipv4Route |
  RTMGRP.ipv6Address |
  RTMGRP.ipv6Route |
  RTMGRP.nextHop;

/** Calls back whenever the descriptor has something to read; returns the function that ends it. */
export type WhenReadable = (fd: number, callback: () => void) => () => void;

export class NetlinkKernelCore implements Kernel {
  readonly #libc: Libc;
  readonly #whenReadable: WhenReadable;
  readonly #writer: NetlinkSocket;
  readonly #routes: RouteWriter;
  readonly #receiveBuffer = new Uint8Array(RECEIVE_BYTES);
  readonly #receiveView = viewOf(this.#receiveBuffer);
  #seq = 1;
  #listener: NetlinkSocket | undefined;
  #stopListening: (() => void) | undefined;
  /** A scan may still run; it asks nothing of a socket that is none any more. */
  #closed = false;

  /** Throws NetlinkError where the system gives no netlink socket. */
  constructor(libc: Libc, whenReadable: WhenReadable = pollHere(libc)) {
    this.#libc = libc;
    this.#whenReadable = whenReadable;
    this.#writer = this.#openSocket(0, REQUEST_BUFFER_BYTES);
    this.#routes = new RouteWriter(this.#writer);
  }

  defineTarget(id: number, target: KernelTarget): void {
    this.#routes.defineTarget(id, target);
  }

  async apply(batch: RouteBatch): Promise<RouteFailure[]> {
    return this.#routes.apply(batch);
  }

  async scanRoutes(addressBytes: 4 | 16, onRows: (rows: RouteRows) => void): Promise<{ complete: boolean }> {
    const builder = new RowBuilder(addressBytes, SCAN_ROWS);
    const writes = this.#routes.nextHops.scanStarts();
    const complete = await this.#dump('routes', addressBytes, (bytes, view, message) => {
      if (message.type === RTM.newRoute) builder.add(bytes, view, message, true);
      if (builder.full) onRows(builder.take());
      return true;
    });
    if (builder.count > 0) onRows(builder.take());
    if (complete && !this.#closed) this.#routes.nextHops.scanned(addressBytes, builder.nextHopIds, writes);
    return { complete };
  }

  dumpLinks(): Promise<KernelLink[]> {
    return this.#list('links', decodeLink);
  }

  dumpAddresses(): Promise<KernelAddress[]> {
    return this.#list('addresses', decodeAddress);
  }

  async watch(events: KernelEvents): Promise<void> {
    const listener = this.#openSocket(ALL_GROUPS, EVENT_BUFFER_BYTES);
    listener.ignoreChangesBy(this.#writer.portId);
    this.#listener = listener;
    this.#stopListening = this.#whenReadable(listener.fd, () => this.#readEvents(listener, events));
  }

  async close(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#listener?.close();
    this.#closed = true;
    try {
      await this.#removeIdleNextHops();
    } catch (error) {
      // They stay, then; the next start finds them.
      if (!(error instanceof NetlinkError)) throw error;
    } finally {
      this.#writer.close();
    }
  }

  /** Objects whose last routes have gone go, too. Mostly all routes are gone or all are kept, so it is soon known. */
  async #removeIdleNextHops(): Promise<void> {
    const { nextHops } = this.#routes;
    const record = newRouteRecord();
    for (const addressBytes of [16, 4] as const) {
      const { writes } = nextHops;
      const unnamed = nextHops.doubtful(addressBytes);
      if (unnamed.size === 0) continue;
      const complete = await this.#dump('routes', addressBytes, (_bytes, view, { start, end }) => {
        if (decodeRoute(view, start, end, record)) unnamed.delete(record.nextHopId);
        return unnamed.size > 0;
      });
      if (!complete) return;
      nextHops.sweep(addressBytes, (id) => unnamed.has(id), writes);
    }
  }

  #openSocket(groups: number, receiveBufferBytes: number): NetlinkSocket {
    return new NetlinkSocket(this.#libc, {
      groups,
      receiveBufferBytes,
      sendBufferBytes: BYTES_PER_SEND * 8,
    });
  }

  /** Runs one dump on a socket of its own, until `visit` has seen enough and returns false; resolves with false where the
   *  kernel said that it may be inconsistent. */
  async #dump(
    kind: 'routes' | 'links' | 'addresses',
    addressBytes: 0 | 4 | 16,
    visit: (bytes: Uint8Array, view: DataView, message: NetlinkMessage) => boolean,
  ): Promise<boolean> {
    const socket = this.#openSocket(0, REQUEST_BUFFER_BYTES);
    const buffer = new Uint8Array(RECEIVE_BYTES);
    const view = viewOf(buffer);
    const seq = this.#seq++ >>> 0;
    let complete = true;
    let done = false;
    let errno = 0;
    try {
      const request = encodeDumpRequest(kind, addressBytes, seq);
      socket.send(request, request.length);
      for (let datagrams = 1; !done; datagrams++) {
        const length = socket.receive(buffer, 0);
        if (length < 0) throw new NetlinkError(`dump of ${kind}`, -length);
        forEachMessage(view, length, (message) => {
          if (message.seq !== seq) return;
          if (message.flags & NLM_F.dumpInterrupted) complete = false;
          if (message.type === NLMSG.done || message.type === NLMSG.error) {
            errno = decodeAnswer(buffer, view, message).errno;
            done = true;
          } else if (!visit(buffer, view, message)) {
            done = true;
          }
        });
        if (datagrams % DATAGRAMS_PER_TURN === 0) await nextTurn();
      }
    } finally {
      socket.close();
    }
    // A kernel without IPv6 answers so; it has no such routes.
    if (errno === ERRNO.EOPNOTSUPP || errno === ERRNO.EAFNOSUPPORT) return true;
    if (errno !== 0) throw new NetlinkError(`dump of ${kind}`, errno);
    return complete;
  }

  /** Everything of one kind: once more where things changed meanwhile, because some may have been passed over. */
  async #list<T>(
    kind: 'links' | 'addresses',
    decode: (bytes: Uint8Array, view: DataView, start: number, end: number) => T | undefined,
  ): Promise<T[]> {
    for (let tries = 1; ; tries++) {
      const found: T[] = [];
      const complete = await this.#dump(kind, 0, (bytes, view, { start, end }) => {
        const one = decode(bytes, view, start, end);
        if (one !== undefined) found.push(one);
        return true;
      });
      if (complete || tries === MOST_DUMPS) return found;
    }
  }

  #readEvents(listener: NetlinkSocket, events: KernelEvents): void {
    const ipv4 = new RowBuilder(4, EVENT_ROWS);
    const ipv6 = new RowBuilder(16, EVENT_ROWS);
    let routesLost = false;
    const flush = (builder: RowBuilder) => {
      if (builder.count > 0) events.onRoutes(builder.take());
    };
    for (let datagrams = 0; datagrams < DATAGRAMS_PER_TURN * 8; datagrams++) {
      const length = listener.receive(this.#receiveBuffer, MSG_DONTWAIT);
      if (length === -ERRNO.EAGAIN) break;
      if (length < 0) {
        if (length !== -ERRNO.ENOBUFS) {
          this.#stopListening?.();
          events.onFailure(new NetlinkError('recv', -length));
          return;
        }
        flush(ipv4);
        flush(ipv6);
        this.#routes.nextHops.review();
        events.onOverrun();
        continue;
      }
      forEachMessage(this.#receiveView, length, (message) => {
        if (message.pid === this.#writer.portId) return;
        if (message.type === RTM.newRoute || message.type === RTM.delRoute) {
          // Each builder takes only its own family.
          ipv4.add(this.#receiveBuffer, this.#receiveView, message, false);
          ipv6.add(this.#receiveBuffer, this.#receiveView, message, false);
          if (ipv4.full) flush(ipv4);
          if (ipv6.full) flush(ipv6);
          return;
        }
        if (message.type === RTM.newNextHop || message.type === RTM.delNextHop) {
          routesLost = this.#nextHopChanged(message) || routesLost;
          return;
        }
        flush(ipv4);
        flush(ipv6);
        this.#tellLinkOrAddress(message, events);
      });
    }
    flush(ipv4);
    flush(ipv6);
    if (routesLost) events.onRoutesLost();
  }

  /** The kernel does not tell of IPv4 routes that go with an object. True where they have to be looked for. */
  #nextHopChanged({ type, start, end }: NetlinkMessage): boolean {
    const object = decodeNextHop(this.#receiveBuffer, this.#receiveView, start, end);
    return object !== undefined && this.#routes.nextHops.changed(type, object);
  }

  #tellLinkOrAddress(message: NetlinkMessage, events: KernelEvents): void {
    const { type, start, end } = message;
    if (type === RTM.newLink || type === RTM.delLink) {
      const link = decodeLink(this.#receiveBuffer, this.#receiveView, start, end);
      if (link === undefined) return;
      const { nextHops } = this.#routes;
      if (type === RTM.delLink || !link.up) nextHops.linkLost(link.ifindex);
      else if (nextHops.linkChanged(link.ifindex)) events.onRoutesLost();
      events.onLink(type === RTM.newLink ? 'add' : 'delete', link);
    } else if (type === RTM.newAddress || type === RTM.delAddress) {
      const address = decodeAddress(this.#receiveBuffer, this.#receiveView, start, end);
      if (address !== undefined) events.onAddress(type === RTM.newAddress ? 'add' : 'delete', address);
    }
  }
}

function pollHere(libc: Libc): WhenReadable {
  return (fd, callback) => {
    const poll = libc.pollReadable(fd, callback);
    return () => poll.close();
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
