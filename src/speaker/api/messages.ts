// Messages of a peer as they were on the wire, for captures.

export interface MessageView {
  /** Counts from 1 for each peer; not every message is kept. */
  seq: number;
  /** Wall-clock milliseconds. */
  at: number;
  /** By this side. */
  sent: boolean;
  /** Tells the peer's connections apart. */
  connection: number;
  /** This side opened the connection. */
  dialled: boolean;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  /** One message, header included. */
  octets: Uint8Array;
}
