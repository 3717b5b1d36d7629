// The kernel's UDP as BfdTransport: receiving sockets are opened with the first session that needs them, and every
// session sends from a port of its own. Who waits for the sockets to be readable is the worker's business.

import { randomInt } from 'node:crypto';
import { isLinkLocal } from '../../lib/ip.ts';
import { PORT, SOURCE_PORTS } from '../protocol.ts';
import {
  type BfdTransport,
  BfdTransportError,
  type Datagram,
  type Outlet,
  type SessionPath,
} from '../transport.ts';
import { ERRNO, INTERFACE_NAME_OCTETS, type Libc, sockaddr } from './libc.ts';
import { ReceiveRing } from './receive-ring.ts';
import { openReceiver, openSender, sendProblem } from './sockets.ts';

interface Receiver {
  readonly fd: number;
  readonly ring: ReceiveRing;
}

/** So many packets, 64 at a time, before others have their turn. */
const ROUNDS = 32;
/** The interface or the address that a socket is bound to has gone. */
const STALE: ReadonlySet<number> = new Set([ERRNO.ENODEV, ERRNO.ENXIO, ERRNO.EADDRNOTAVAIL]);

export class UdpTransport implements BfdTransport {
  readonly #libc: Libc;
  readonly #receivers = new Map<string, Receiver>();
  readonly #ports = new SourcePorts();
  readonly #onReceivers: () => void;

  /** `onReceivers`: there is another socket to wait for. */
  constructor(libc: Libc, onReceivers: () => void) {
    this.#libc = libc;
    this.#onReceivers = onReceivers;
  }

  /** What can become readable. */
  get descriptors(): number[] {
    return [...this.#receivers.values()].map(({ fd }) => fd);
  }

  open(path: SessionPath): Outlet {
    this.#receiveFor(path);
    return new UdpOutlet(this.#libc, path, this.#ports);
  }

  interfaceName(ifindex: number): string | undefined {
    const name = new Uint8Array(INTERFACE_NAME_OCTETS);
    if (this.#libc.ifIndexToName(ifindex, name) === null) return undefined;
    return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
  }

  /** Hands over everything that has arrived. */
  drain(receive: (datagram: Datagram) => void): void {
    for (const { fd, ring } of this.#receivers.values()) {
      for (let round = 0; round < ROUNDS; round++) if (!ring.take(fd, receive)) break;
    }
  }

  close(): void {
    for (const { fd } of this.#receivers.values()) this.#libc.close(fd);
    this.#receivers.clear();
  }

  #receiveFor({ remote, multihop }: SessionPath): void {
    const v6 = remote.length === 16;
    const key = `${v6} ${multihop}`;
    if (this.#receivers.has(key)) return;
    const port = multihop ? PORT.multihop : PORT.singleHop;
    const fd = openReceiver(this.#libc, v6, port, !multihop);
    this.#receivers.set(key, { fd, ring: new ReceiveRing(this.#libc, v6, multihop) });
    this.#onReceivers();
  }
}

/** RFC 5881 §4: each session has its own, for good. */
class SourcePorts {
  readonly #used = new Set<number>();

  take(): number {
    const count = SOURCE_PORTS.last - SOURCE_PORTS.first + 1;
    const start = randomInt(count);
    for (let i = 0; i < count; i++) {
      const port = SOURCE_PORTS.first + ((start + i) % count);
      if (this.#used.has(port)) continue;
      this.#used.add(port);
      return port;
    }
    throw new BfdTransportError('all source ports are in use');
  }

  release(port: number): void {
    this.#used.delete(port);
  }
}

class UdpOutlet implements Outlet {
  readonly #libc: Libc;
  readonly #path: SessionPath;
  readonly #ports: SourcePorts;
  #port: number;
  #fd: number;
  #target: Uint8Array = new Uint8Array(0);
  #stale = false;
  ifindex: number | undefined;

  constructor(libc: Libc, path: SessionPath, ports: SourcePorts) {
    this.#libc = libc;
    this.#path = path;
    this.#ports = ports;
    this.#port = ports.take();
    try {
      this.#fd = this.#bind();
    } catch (error) {
      ports.release(this.#port);
      throw error;
    }
  }

  send(bytes: Uint8Array, length: number): string | undefined {
    if (this.#stale) {
      const trouble = this.#renew();
      if (trouble !== undefined) return trouble;
    }
    const target = this.#target;
    if (this.#libc.sendto(this.#fd, bytes, length, 0, target, target.length) >= 0) return undefined;
    const errno = this.#libc.errno();
    if (STALE.has(errno)) this.#stale = true;
    // A full queue loses one packet, as any queue does.
    return errno === ERRNO.EAGAIN ? undefined : sendProblem(errno);
  }

  close(): void {
    this.#libc.close(this.#fd);
    this.#ports.release(this.#port);
  }

  /** The same port on what has come in the place of an interface or an address. */
  #renew(): string | undefined {
    this.#libc.close(this.#fd);
    this.#fd = -1;
    try {
      this.#fd = this.#bind();
      this.#stale = false;
      return undefined;
    } catch (error) {
      if (error instanceof BfdTransportError) return error.message;
      throw error;
    }
  }

  #bind(): number {
    const { remote, local, interface: device, multihop } = this.#path;
    const own = local ?? new Uint8Array(remote.length);
    this.ifindex = device === undefined ? undefined : this.#libc.ifNameToIndex(device);
    if (this.ifindex === 0) throw new BfdTransportError(`there is no interface ${device}`);
    for (;;) {
      const scope = isLinkLocal(own) ? (this.ifindex ?? 0) : 0;
      const fd = openSender(this.#libc, { local: own, port: this.#port, ifindex: scope, interface: device });
      if (fd !== 'taken') {
        const port = multihop ? PORT.multihop : PORT.singleHop;
        this.#target = sockaddr(remote, port, isLinkLocal(remote) ? (this.ifindex ?? 0) : 0);
        return fd;
      }
      // Somebody else's; it stays marked as used, so that nobody tries it again.
      this.#port = this.#ports.take();
    }
  }
}
