// RTM_NEWNEXTHOP and RTM_DELNEXTHOP, pure, both ways: next-hop objects as far as godwit makes them, one gateway through
// one interface.

import { viewOf } from '../../lib/bytes.ts';
import type { KernelNextHop } from '../types.ts';
import {
  HOST_IS_LITTLE_ENDIAN,
  NHA,
  NHMSG_BYTES,
  NLM_F,
  NLMSG_HEADER_BYTES,
  RTM,
  RTNH_F_ONLINK,
} from './constants.ts';
import { AttributeWriter, addressFamily, forEachAttribute, writeHeader } from './messages.ts';

const LE = HOST_IS_LITTLE_ENDIAN;

export interface NextHopObject {
  readonly id: number;
  /** nh_protocol: who made it. */
  readonly protocol: number;
  /** Undefined where it is something else: a group, a blackhole, an encapsulation. */
  readonly hop: KernelNextHop | undefined;
}

/** A next hop with both a gateway and an interface. */
export interface GatewayHop extends KernelNextHop {
  readonly gateway: Uint8Array;
  readonly ifindex: number;
}

/** Asks for an object, whose number the kernel chooses and tells. */
export function encodeNewNextHop(hop: GatewayHop, protocol: number, seq: number): Uint8Array {
  const attributes = new AttributeWriter();
  attributes.uint32(NHA.outInterface, hop.ifindex);
  attributes.octets(NHA.gateway, hop.gateway);
  const flags = NLM_F.request | NLM_F.create | NLM_F.exclusive | NLM_F.echo | NLM_F.ack;
  const bytes = encode(RTM.newNextHop, flags, attributes.finish(), seq);
  bytes[NLMSG_HEADER_BYTES] = addressFamily(hop.gateway.length === 4 ? 4 : 16);
  bytes[NLMSG_HEADER_BYTES + 2] = protocol;
  viewOf(bytes).setUint32(NLMSG_HEADER_BYTES + 4, hop.onlink ? RTNH_F_ONLINK : 0, LE);
  return bytes;
}

/** Routes that still name it go with it. */
export function encodeDelNextHop(id: number, seq: number): Uint8Array {
  const attributes = new AttributeWriter();
  attributes.uint32(NHA.id, id);
  return encode(RTM.delNextHop, NLM_F.request | NLM_F.ack, attributes.finish(), seq);
}

function encode(type: number, flags: number, attributes: Uint8Array, seq: number): Uint8Array {
  const start = NLMSG_HEADER_BYTES + NHMSG_BYTES;
  const bytes = new Uint8Array(start + attributes.length);
  writeHeader(viewOf(bytes), 0, bytes.length, type, flags, seq);
  bytes.set(attributes, start);
  return bytes;
}

/** The next-hop message whose netlink header is at `start`; undefined where it has no number. */
export function decodeNextHop(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): NextHopObject | undefined {
  const at = start + NLMSG_HEADER_BYTES;
  if (at + NHMSG_BYTES > end) return undefined;
  let id = 0;
  let ifindex: number | undefined;
  let gateway: Uint8Array | undefined;
  let plain = true;
  forEachAttribute(view, at + NHMSG_BYTES, end, (type, offset, length) => {
    const isNumber = length === Uint32Array.BYTES_PER_ELEMENT;
    if (type === NHA.id && isNumber) id = view.getUint32(offset, LE);
    else if (type === NHA.outInterface && isNumber) ifindex = view.getUint32(offset, LE);
    else if (type === NHA.gateway) gateway = bytes.slice(offset, offset + length);
    else plain = false;
  });
  if (id === 0) return undefined;
  const onlink = (view.getUint32(at + 4, LE) & RTNH_F_ONLINK) !== 0;
  const hop =
    plain && gateway !== undefined && ifindex !== undefined
      ? { gateway, ifindex, ...(onlink ? { onlink } : {}) }
      : undefined;
  return { id, protocol: view.getUint8(at + 2), hop };
}
