// Many packets with one system call: the structures of recvmmsg, made once, so that receiving allocates nothing. With
// each packet come its sender, and by IP_PKTINFO the own address and the interface it came to.

import type { IpBytes } from '../../lib/ip.ts';
import type { Datagram } from '../transport.ts';
import {
  LEVEL,
  LITTLE_ENDIAN,
  type Libc,
  MSG_DONTWAIT,
  OPTION,
  SOCKADDR,
  setPointer,
  setWord,
} from './libc.ts';

const SLOTS = 64;
/** Longer packets are cut; no authentication makes one of this length. */
const PACKET_OCTETS = 64;
const NAME_OCTETS = 32;
const CONTROL_OCTETS = 64;
/** struct mmsghdr: a msghdr and its length. */
const MESSAGE = {
  octets: 64,
  name: 0,
  nameLength: 8,
  iov: 16,
  iovCount: 24,
  control: 32,
  controlLength: 40,
  length: 56,
};
const IOVEC_OCTETS = 16;
/** struct cmsghdr, and after it in_pktinfo or in6_pktinfo. */
const CONTROL = { level: 8, type: 12, data: 16 };
const PKTINFO = { v4: { ifindex: 0, address: 8 }, v6: { address: 0, ifindex: 16 } };

type Slot = { -readonly [K in keyof Datagram]: Datagram[K] };

/** The layout of one family and kind of path. */
export class ReceiveRing {
  readonly #libc: Libc;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #slots: readonly Slot[];
  readonly #v6: boolean;
  readonly #controlsAt: number;
  /** Slots that must be prepared again. */
  #used = SLOTS;

  constructor(libc: Libc, v6: boolean, multihop: boolean) {
    this.#libc = libc;
    this.#v6 = v6;
    const iovAt = SLOTS * MESSAGE.octets;
    const namesAt = iovAt + SLOTS * IOVEC_OCTETS;
    this.#controlsAt = namesAt + SLOTS * NAME_OCTETS;
    const packetsAt = this.#controlsAt + SLOTS * CONTROL_OCTETS;
    this.#bytes = new Uint8Array(packetsAt + SLOTS * PACKET_OCTETS);
    this.#view = new DataView(this.#bytes.buffer);
    const base = libc.addressOf(this.#bytes);
    const pointTo = (at: number, target: number): void => setPointer(this.#view, at, base + BigInt(target));
    const octets = v6 ? 16 : 4;
    const part = (at: number): IpBytes => this.#bytes.subarray(at, at + octets);
    this.#slots = Array.from({ length: SLOTS }, (_, i) => {
      const message = i * MESSAGE.octets;
      const [iov, name] = [iovAt + i * IOVEC_OCTETS, namesAt + i * NAME_OCTETS];
      const [control, packet] = [this.#controlsAt + i * CONTROL_OCTETS, packetsAt + i * PACKET_OCTETS];
      pointTo(message + MESSAGE.name, name);
      pointTo(message + MESSAGE.iov, iov);
      setWord(this.#view, message + MESSAGE.iovCount, 1);
      pointTo(message + MESSAGE.control, control);
      pointTo(iov, packet);
      setWord(this.#view, iov + 8, PACKET_OCTETS);
      return {
        bytes: this.#bytes,
        view: this.#view,
        start: packet,
        end: packet,
        multihop,
        remote: part(name + (v6 ? SOCKADDR.in6Address : SOCKADDR.in4Address)),
        local: part(control + CONTROL.data + (v6 ? PKTINFO.v6.address : PKTINFO.v4.address)),
        ifindex: 0,
      };
    });
  }

  /** Takes up to 64 packets off the socket; true where there may be more. */
  take(fd: number, receive: (datagram: Datagram) => void): boolean {
    const view = this.#view;
    // What the call before has overwritten.
    for (let i = 0; i < this.#used; i++) this.#prepare(i);
    const count = this.#libc.recvmmsg(fd, this.#bytes, SLOTS, MSG_DONTWAIT, null);
    this.#used = Math.max(0, count);
    for (let i = 0; i < count; i++) {
      const slot = this.#slots[i]!;
      if (!this.#hasPktinfo(i)) continue;
      const control = this.#controlsAt + i * CONTROL_OCTETS + CONTROL.data;
      slot.end = slot.start + view.getUint32(i * MESSAGE.octets + MESSAGE.length, LITTLE_ENDIAN);
      const { ifindex } = this.#v6 ? PKTINFO.v6 : PKTINFO.v4;
      slot.ifindex = view.getUint32(control + ifindex, LITTLE_ENDIAN);
      receive(slot);
    }
    return count === SLOTS;
  }

  #prepare(i: number): void {
    const message = i * MESSAGE.octets;
    this.#view.setUint32(message + MESSAGE.nameLength, NAME_OCTETS, LITTLE_ENDIAN);
    setWord(this.#view, message + MESSAGE.controlLength, CONTROL_OCTETS);
  }

  #hasPktinfo(i: number): boolean {
    const control = this.#controlsAt + i * CONTROL_OCTETS;
    const level = this.#view.getInt32(control + CONTROL.level, LITTLE_ENDIAN);
    const type = this.#view.getInt32(control + CONTROL.type, LITTLE_ENDIAN);
    return this.#v6
      ? level === LEVEL.ipv6 && type === OPTION.ipv6Pktinfo
      : level === LEVEL.ip && type === OPTION.ipPktinfo;
  }
}
