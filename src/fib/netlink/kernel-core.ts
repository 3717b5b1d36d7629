// The Linux kernel behind the Kernel interface, on the calling thread: a socket for writing, one for each scan, one
// for notifications. Writing is synchronous (some milliseconds a thousand routes), so the product runs this inside
// netlink-worker.ts; tests and tools may use it directly.

import { viewOf } from '../../lib/bytes.ts';
import { ERRNO, errnoName } from '../errno.ts';
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
import { type EncodedTarget, encodeOperation, encodeTarget, operationBytes } from './route-encode.ts';
import { RowBuilder } from './row-builder.ts';
import { MSG_DONTWAIT, NetlinkError, NetlinkSocket } from './socket.ts';

/** Operations and octets of one send: more gains nothing, and the kernel wants them in one piece of memory. */
const MESSAGES_PER_SEND = 1000;
const BYTES_PER_SEND = 128 * 1024;
/** Room for one operation of any size: 256 next hops of 36 octets and some. */
const LARGEST_OPERATION_BYTES = 16 * 1024;
/** The kernel puts at most 32 KB into one datagram of a dump. */
const RECEIVE_BYTES = 64 * 1024;
const REQUEST_BUFFER_BYTES = 8 * 1024 * 1024;
const EVENT_BUFFER_BYTES = 64 * 1024 * 1024;
const SCAN_ROWS = 4096;
const EVENT_ROWS = 1024;
/** Where changes never pause, the last of so many dumps is taken as it is. */
const MOST_DUMPS = 5;
/** Datagrams handled in one turn, so that writes and notifications get theirs while a scan runs. */
const DATAGRAMS_PER_TURN = 32;
const ALL_GROUPS =
  RTMGRP.link | RTMGRP.ipv4Address | RTMGRP.ipv4Route | RTMGRP.ipv6Address | RTMGRP.ipv6Route;

/** Calls back whenever the descriptor has something to read; returns the function that ends it. */
export type WhenReadable = (fd: number, callback: () => void) => () => void;

interface TargetSlot {
  readonly target: KernelTarget;
  ipv4?: EncodedTarget;
  ipv6?: EncodedTarget;
}

export class NetlinkKernelCore implements Kernel {
  readonly #libc: Libc;
  readonly #whenReadable: WhenReadable;
  readonly #writer: NetlinkSocket;
  readonly #targets: (TargetSlot | undefined)[] = [];
  readonly #sendBuffer = new Uint8Array(BYTES_PER_SEND + LARGEST_OPERATION_BYTES);
  readonly #sendView = viewOf(this.#sendBuffer);
  readonly #receiveBuffer = new Uint8Array(RECEIVE_BYTES);
  readonly #receiveView = viewOf(this.#receiveBuffer);
  #seq = 1;
  #listener: NetlinkSocket | undefined;
  #stopListening: (() => void) | undefined;

  /** Throws NetlinkError where the system gives no netlink socket. */
  constructor(libc: Libc, whenReadable: WhenReadable = pollHere(libc)) {
    this.#libc = libc;
    this.#whenReadable = whenReadable;
    this.#writer = this.#openSocket(0, REQUEST_BUFFER_BYTES);
  }

  defineTarget(id: number, target: KernelTarget): void {
    this.#targets[id] = { target };
  }

  async apply(batch: RouteBatch): Promise<RouteFailure[]> {
    const failures: RouteFailure[] = [];
    for (let index = 0; index < batch.count; ) index = this.#sendSome(batch, index, failures);
    return failures;
  }

  async scanRoutes(addressBytes: 4 | 16, onRows: (rows: RouteRows) => void): Promise<{ complete: boolean }> {
    const builder = new RowBuilder(addressBytes, SCAN_ROWS);
    const complete = await this.#dump('routes', addressBytes, (bytes, view, message) => {
      if (message.type !== RTM.newRoute) return;
      builder.add(bytes, view, message, true);
      if (builder.full) onRows(builder.take());
    });
    if (builder.count > 0) onRows(builder.take());
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
    this.#writer.close();
  }

  #openSocket(groups: number, receiveBufferBytes: number): NetlinkSocket {
    return new NetlinkSocket(this.#libc, {
      groups,
      receiveBufferBytes,
      sendBufferBytes: BYTES_PER_SEND * 8,
    });
  }

  /** Sends as many operations from `first` on as fit, waits for their answers, and returns the next index. */
  #sendSome(batch: RouteBatch, first: number, failures: RouteFailure[]): number {
    const stride = batch.addressBytes / 4;
    const seq = this.#seq;
    let index = first;
    let length = 0;
    while (index < batch.count && index - first < MESSAGES_PER_SEND && length < BYTES_PER_SEND) {
      const target = this.#encoded(batch.targets[index]!, batch.addressBytes);
      const kind = batch.kinds[index]!;
      const next = length + operationBytes(target, kind, batch.addressBytes);
      const isLast =
        index + 1 === batch.count || index + 1 - first === MESSAGES_PER_SEND || next >= BYTES_PER_SEND;
      length = encodeOperation(
        this.#sendBuffer,
        this.#sendView,
        length,
        target,
        kind,
        batch.addressBytes,
        batch.words,
        index * stride,
        batch.bits[index]!,
        (seq + index - first) >>> 0,
        // Failures are always answered; one acknowledgement at the end says that all others went well.
        isLast ? NLM_F.ack : 0,
      );
      index++;
    }
    this.#seq = (seq + index - first) >>> 0;
    try {
      this.#writer.send(this.#sendBuffer, length);
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      failRange(first, index, error.errno, failures);
      return index;
    }
    this.#readAnswers(seq, first, index, failures);
    return index;
  }

  #encoded(id: number, addressBytes: 4 | 16): EncodedTarget {
    const slot = this.#targets[id];
    if (slot === undefined) throw new Error(`kernel target ${id} was never defined`);
    if (addressBytes === 4) {
      slot.ipv4 ??= encodeTarget(slot.target, 4);
      return slot.ipv4;
    }
    slot.ipv6 ??= encodeTarget(slot.target, 16);
    return slot.ipv6;
  }

  #readAnswers(seq: number, first: number, end: number, failures: RouteFailure[]): void {
    const count = end - first;
    const before = failures.length;
    for (let done = false; !done; ) {
      const length = this.#writer.receive(this.#receiveBuffer, 0);
      if (length < 0) {
        // Answers were lost: nobody knows which operations went well, so none counts as done.
        failures.length = before;
        failRange(first, end, ERRNO.ENOBUFS, failures);
        this.#drainAnswers();
        return;
      }
      forEachMessage(this.#receiveView, length, (message) => {
        if (message.type !== NLMSG.error) return;
        const offset = (message.seq - seq) >>> 0;
        if (offset >= count) return;
        const { errno, text } = decodeAnswer(this.#receiveBuffer, this.#receiveView, message);
        if (errno !== 0) failures.push(failure(first + offset, errno, text));
        if (offset === count - 1) done = true;
      });
    }
  }

  #drainAnswers(): void {
    for (let length = 0; length >= 0 || length === -ERRNO.ENOBUFS; ) {
      length = this.#writer.receive(this.#receiveBuffer, MSG_DONTWAIT);
    }
  }

  /** Runs one dump on a socket of its own; false where the kernel said that it may be inconsistent. */
  async #dump(
    kind: 'routes' | 'links' | 'addresses',
    addressBytes: 0 | 4 | 16,
    visit: (bytes: Uint8Array, view: DataView, message: NetlinkMessage) => void,
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
          } else {
            visit(buffer, view, message);
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
      });
      if (complete || tries === MOST_DUMPS) return found;
    }
  }

  #readEvents(listener: NetlinkSocket, events: KernelEvents): void {
    const ipv4 = new RowBuilder(4, EVENT_ROWS);
    const ipv6 = new RowBuilder(16, EVENT_ROWS);
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
        flush(ipv4);
        flush(ipv6);
        this.#tellLinkOrAddress(message, events);
      });
    }
    flush(ipv4);
    flush(ipv6);
  }

  #tellLinkOrAddress(message: NetlinkMessage, events: KernelEvents): void {
    const { type, start, end } = message;
    if (type === RTM.newLink || type === RTM.delLink) {
      const link = decodeLink(this.#receiveBuffer, this.#receiveView, start, end);
      if (link !== undefined) events.onLink(type === RTM.newLink ? 'add' : 'delete', link);
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

function failRange(first: number, end: number, errno: number, failures: RouteFailure[]): void {
  for (let index = first; index < end; index++) failures.push(failure(index, errno, undefined));
}

function failure(index: number, errno: number, text: string | undefined): RouteFailure {
  return { index, errno, name: errnoName(errno), ...(text === undefined ? {} : { text }) };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
