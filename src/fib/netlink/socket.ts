// One AF_NETLINK socket of the route family: made, sized, bound, filtered, read. Synchronous; whoever must not block
// uses it on another thread.

import { viewOf } from '../../lib/bytes.ts';
import { ERRNO, errnoName } from '../errno.ts';
import { AF, HOST_IS_LITTLE_ENDIAN } from './constants.ts';
import type { Libc } from './libc.ts';

const LE = HOST_IS_LITTLE_ENDIAN;

const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_ATTACH_FILTER = 26;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
export const MSG_DONTWAIT = 0x40;
/** The kernel puts at most 32 KB into one datagram of a dump. */
export const RECEIVE_BYTES = 64 * 1024;

const SOCKADDR_NL_BYTES = 12;
/** The kernel answers within its system call; a wait that long means that the answer was lost. */
const RECEIVE_TIMEOUT_SECONDS = 10;

/** A system call on a netlink socket failed. */
export class NetlinkError extends Error {
  readonly errno: number;
  constructor(what: string, errno: number) {
    super(`netlink ${what} failed with ${errnoName(errno)}`);
    this.name = 'NetlinkError';
    this.errno = errno;
  }
}

export interface SocketOptions {
  /** Multicast groups as bits; 0 for requests. */
  readonly groups: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
}

export class NetlinkSocket {
  readonly fd: number;
  /** This socket's address, as notifications about its changes carry it. */
  readonly portId: number;
  readonly #libc: Libc;
  #open = true;

  /** Throws NetlinkError. */
  constructor(libc: Libc, options: SocketOptions) {
    this.#libc = libc;
    this.fd = libc.socket(AF.netlink, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (this.fd < 0) throw new NetlinkError('socket', libc.errno());
    this.#size(SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBufferBytes);
    this.#size(SO_SNDBUFFORCE, SO_SNDBUF, options.sendBufferBytes);
    // Older kernels lack these; answers are longer or less explained, then, and dumps filtered less strictly.
    this.#setInt(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    this.#setInt(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    this.#setInt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    const timeout = new Uint8Array(16);
    viewOf(timeout).setBigInt64(0, BigInt(RECEIVE_TIMEOUT_SECONDS), LE);
    libc.setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
    this.portId = this.#bind(options.groups);
  }

  /** Throws NetlinkError where the kernel did not take the messages at all. */
  send(data: Uint8Array, length: number): void {
    for (;;) {
      if (this.#libc.send(this.fd, data, length, 0) >= 0) return;
      const errno = this.#libc.errno();
      if (errno !== ERRNO.EINTR) throw new NetlinkError('send', errno);
    }
  }

  /**
   * Reads one datagram into `buffer`. Returns its length, or a negative errno: -EAGAIN where nothing came (at once
   * with MSG_DONTWAIT, else after some seconds), -ENOBUFS where messages were lost.
   */
  receive(buffer: Uint8Array, flags: number): number {
    for (;;) {
      const length = this.#libc.recv(this.fd, buffer, buffer.length, flags);
      if (length >= 0) return length;
      const errno = this.#libc.errno();
      if (errno !== ERRNO.EINTR) return -errno;
    }
  }

  /**
   * Lets the kernel drop notifications about changes that `portId` made before they take room in the queue: a
   * million own routes would be told back. Where it cannot be set, the reader drops them.
   */
  ignoreChangesBy(portId: number): void {
    const program = bpfProgram(portId);
    const fprog = new Uint8Array(16);
    const view = viewOf(fprog);
    view.setUint16(0, program.length / BPF_INSTRUCTION_BYTES, LE);
    // struct sock_fprog holds a pointer; with 8-octet pointers it stands at offset 8, with 4-octet ones at 4.
    const address = this.#libc.addressOf(program);
    if (POINTER_IS_64_BIT) view.setBigUint64(8, address, LE);
    else view.setUint32(4, Number(address), LE);
    this.#libc.setsockopt(this.fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, POINTER_IS_64_BIT ? 16 : 8);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.close(this.fd);
  }

  #bind(groups: number): number {
    const address = new Uint8Array(SOCKADDR_NL_BYTES);
    const view = viewOf(address);
    view.setUint16(0, AF.netlink, LE);
    view.setUint32(8, groups, LE);
    if (this.#libc.bind(this.fd, address, address.length) < 0) this.#fail('bind');
    if (this.#libc.getsockname(this.fd, address, Uint32Array.of(address.length)) < 0) {
      this.#fail('getsockname');
    }
    return view.getUint32(4, LE);
  }

  /** With CAP_NET_ADMIN any size, without it what net.core.*mem_max allows. */
  #size(forced: number, plain: number, bytes: number): void {
    if (!this.#setInt(SOL_SOCKET, forced, bytes)) this.#setInt(SOL_SOCKET, plain, bytes);
  }

  #setInt(level: number, option: number, value: number): boolean {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setInt32(0, value, LE);
    return this.#libc.setsockopt(this.fd, level, option, bytes, bytes.length) === 0;
  }

  #fail(what: string): never {
    const errno = this.#libc.errno();
    this.close();
    throw new NetlinkError(what, errno);
  }
}

const POINTER_IS_64_BIT = !['arm', 'ia32', 'mipsel', 'mips'].includes(process.arch);
const BPF_INSTRUCTION_BYTES = 8;
const NLMSG_PID_OFFSET = 12;
const BPF_LOAD_WORD = 0x20;
const BPF_JUMP_EQUAL = 0x15;
const BPF_RETURN = 0x06;
const BPF_WHOLE_PACKET = 0xffffffff;

/** Classic BPF: drop where nlmsg_pid is `portId`. BPF loads big-endian, netlink stores in host order. */
function bpfProgram(portId: number): Uint8Array {
  const swap = viewOf(new Uint8Array(4));
  swap.setUint32(0, portId, LE);
  const program = [
    { code: BPF_LOAD_WORD, jt: 0, jf: 0, k: NLMSG_PID_OFFSET },
    { code: BPF_JUMP_EQUAL, jt: 0, jf: 1, k: swap.getUint32(0) },
    { code: BPF_RETURN, jt: 0, jf: 0, k: 0 },
    { code: BPF_RETURN, jt: 0, jf: 0, k: BPF_WHOLE_PACKET },
  ];
  const bytes = new Uint8Array(program.length * BPF_INSTRUCTION_BYTES);
  const view = viewOf(bytes);
  program.forEach(({ code, jt, jf, k }, i) => {
    const at = i * BPF_INSTRUCTION_BYTES;
    view.setUint16(at, code, LE);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, LE);
  });
  return bytes;
}
