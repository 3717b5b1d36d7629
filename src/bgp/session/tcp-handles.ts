// Between Node's sockets and the system's: ends, what waits to be written, and what cannot be had without
// the door to the system.

import { parseAddress } from '../../lib/ip.ts';
import { handleOf } from '../../lib/socket-handle.ts';
import { type Endpoint, type SocketOptions, TransportError } from './transport.ts';

function endpointOf(address: string | undefined, port: number | undefined): Endpoint {
  const parsed = parseAddress(address ?? '');
  if (parsed === undefined || port === undefined) {
    throw new TransportError('ENOTCONN', 'connection closed');
  }
  return { address: parsed.bytes, port, zone: parsed.zone };
}

/** What of a node:net socket says its ends. */
interface SocketEnds {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/**
 * Both ends of a connection. Throws TransportError where it is gone, or the interface of a link-local address is: Node
 * cannot say the address without its name, nor find the name out when no descriptor is left.
 */
export function endsOf(socket: SocketEnds): { readonly local: Endpoint; readonly remote: Endpoint } {
  try {
    return {
      local: endpointOf(socket.localAddress, socket.localPort),
      remote: endpointOf(socket.remoteAddress, socket.remotePort),
    };
  } catch (error) {
    throw toTransportError(error);
  }
}

/** With the system's name for it. */
export function toTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  if (!(error instanceof Error)) return new TransportError('EUNKNOWN', String(error));
  const code: unknown = Reflect.get(error, 'code');
  return new TransportError(typeof code === 'string' ? code : 'EUNKNOWN', error.message);
}

/** Octets of the write under way that the kernel has not taken. */
export function unsentOf(socket: object): number {
  const handle = handleOf(socket);
  const octets: unknown = handle === undefined ? 0 : Reflect.get(handle, 'writeQueueSize');
  return typeof octets === 'number' ? octets : 0;
}

/** Throws TransportError where an option needs a native socket. */
export function refuseNativeOptions(
  options: SocketOptions & { interface?: string | undefined; freebind?: boolean },
): void {
  if (options.password !== undefined) throw missing('password (TCP-MD5)');
  if (options.tcpAo !== undefined) throw missing('authentication (TCP-AO)');
  if (options.minTtl !== undefined) throw missing('ttlSecurity (GTSM)');
  if (options.ttl !== undefined) throw missing('multihop TTL');
  if (options.interface !== undefined) throw missing('interface');
  if (options.freebind === true) throw missing('freeBind');
}

/** RFC 5925 §7.3: a connection is signed from its first segment on, or never. */
export function cannotSwitch(): TransportError {
  return new TransportError('EISCONN', 'a connection cannot get or lose TCP-AO');
}

export function missing(option: string): TransportError {
  return new TransportError(
    'ENOTSUP',
    `${option} needs Linux and the koffi library, and one is missing here`,
  );
}
