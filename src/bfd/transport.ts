// How a session's packets leave and arrive, as the engine sees it: the kernel's sockets (udp/) or a simulated network.

import type { IpBytes } from '../lib/ip.ts';

/** What a session watches, and by which of its ends it is known. */
export interface SessionPath {
  readonly remote: IpBytes;
  /** Own address; undefined: the kernel chooses, and any is taken for it. */
  readonly local: IpBytes | undefined;
  /** Name of the interface that packets leave by and must come from; always there for a link-local address. */
  readonly interface: string | undefined;
  /** RFC 5883; else RFC 5881, one hop with TTL 255. */
  readonly multihop: boolean;
}

/** A received packet; valid during the call. What a TTL forbids (RFC 5881 §5) has been left out. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
  readonly multihop: boolean;
  /** Sender and own address: 4 octets for IPv4. */
  readonly remote: IpBytes;
  readonly local: IpBytes;
  /** Index of the interface it came from. */
  readonly ifindex: number;
}

/** A session's way out; it holds one source port for as long as it is open (RFC 5881 §4). */
export interface Outlet {
  /** Index of the interface of the path; undefined where any will do. */
  readonly ifindex: number | undefined;
  /** Gives what is wrong, as a sentence, or undefined. */
  send(bytes: Uint8Array, length: number): string | undefined;
  close(): void;
}

export interface BfdTransport {
  /** Begins to receive for such paths, and gives the way out. Throws BfdTransportError where it cannot. */
  open(path: SessionPath): Outlet;
  interfaceName(ifindex: number): string | undefined;
}

/** The message is a sentence for people. */
export class BfdTransportError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BfdTransportError';
  }
}
