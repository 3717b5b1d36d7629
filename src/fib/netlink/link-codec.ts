// RTM_NEWLINK/DELLINK and RTM_NEWADDR/DELADDR, pure, read only.

import type { KernelAddress, KernelLink } from '../types.ts';
import {
  AF,
  HOST_IS_LITTLE_ENDIAN,
  IFA,
  IFADDRMSG_BYTES,
  IFF,
  IFINFOMSG_BYTES,
  IFLA,
  NLMSG_HEADER_BYTES,
} from './constants.ts';
import { forEachAttribute } from './messages.ts';

const LE = HOST_IS_LITTLE_ENDIAN;
/** An unsigned 32-bit number. */
const MTU_BYTES = 4;
const INDEX_BYTES = 4;

/** The link message whose netlink header is at `start`; undefined where it has no name. */
export function decodeLink(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): KernelLink | undefined {
  const at = start + NLMSG_HEADER_BYTES;
  // AF_BRIDGE and AF_INET6 messages of the same type tell of something else.
  if (at + IFINFOMSG_BYTES > end || view.getUint8(at) !== 0) return undefined;
  const ifindex = view.getInt32(at + 4, LE);
  const flags = view.getUint32(at + 8, LE);
  let name: string | undefined;
  let mtu = 0;
  let master: number | undefined;
  forEachAttribute(view, at + IFINFOMSG_BYTES, end, (type, offset, length) => {
    if (type === IFLA.name) name = Buffer.from(bytes.subarray(offset, offset + length - 1)).toString('utf8');
    else if (type === IFLA.mtu && length === MTU_BYTES) mtu = view.getUint32(offset, LE);
    else if (type === IFLA.master && length === INDEX_BYTES) master = view.getUint32(offset, LE);
  });
  if (name === undefined) return undefined;
  const needed = IFF.up | IFF.lowerUp;
  return {
    ifindex,
    name,
    up: (flags & needed) === needed,
    loopback: (flags & IFF.loopback) !== 0,
    mtu,
    details: {
      adminUp: (flags & IFF.up) !== 0,
      linkUp: (flags & IFF.lowerUp) !== 0,
      broadcast: (flags & IFF.broadcast) !== 0,
      multicast: (flags & IFF.multicast) !== 0,
      pointToPoint: (flags & IFF.pointToPoint) !== 0,
      master,
    },
  };
}

/** The address message whose netlink header is at `start`. */
export function decodeAddress(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): KernelAddress | undefined {
  const at = start + NLMSG_HEADER_BYTES;
  if (at + IFADDRMSG_BYTES > end) return undefined;
  const family = view.getUint8(at);
  if (family !== AF.inet && family !== AF.inet6) return undefined;
  const size = family === AF.inet ? 4 : 16;
  let local: Uint8Array | undefined;
  let peer: Uint8Array | undefined;
  forEachAttribute(view, at + IFADDRMSG_BYTES, end, (type, offset, length) => {
    if (length !== size) return;
    if (type === IFA.local) local = bytes.slice(offset, offset + size);
    else if (type === IFA.address) peer = bytes.slice(offset, offset + size);
  });
  // IFA_LOCAL is the own address and IFA_ADDRESS the other end; IPv6 without a peer has IFA_ADDRESS only.
  const address = local ?? peer;
  if (address === undefined) return undefined;
  const pointToPoint = peer !== undefined && Buffer.compare(peer, address) !== 0;
  return {
    ifindex: view.getInt32(at + 4, LE),
    address,
    prefixLength: view.getUint8(at + 1),
    scope: view.getUint8(at + 3),
    ...(pointToPoint && peer !== undefined ? { peer } : {}),
  };
}
