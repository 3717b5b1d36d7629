// The functions of libc that BFD's sockets need, through koffi, and how their structures are laid out: the generic
// Linux ABI with pointers of 64 bits. Loaded on demand.

import { endianness } from 'node:os';
import { requireKoffi } from '../../lib/koffi.ts';

/** Thin and synchronous; a function returns -1 on failure, and then `errno()` says why. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  sendto(
    fd: number,
    data: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: null): number;
  ppoll(fds: Uint8Array, count: number, timeout: Uint8Array, mask: null): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, data: Uint8Array, length: number): number;
  write(fd: number, data: Uint8Array, length: number): number;
  close(fd: number): number;
  ifNameToIndex(name: string): number;
  ifIndexToName(index: number, name: Uint8Array): unknown;
  /** `which` 0 and `who` 0: the calling thread. */
  setpriority(which: number, who: number, priority: number): number;
  /** `pid` 0: the calling thread. */
  schedSetscheduler(pid: number, policy: number, parameters: Uint8Array): number;
  errno(): number;
  /** The address of an array's first octet. The array must be larger than 64 octets, which V8 may move. */
  addressOf(data: Uint8Array): bigint;
}

const POINTER_OCTETS = 8;

/** Undefined on another system, without koffi, or with other pointers. */
export function loadLibc(): Libc | undefined {
  if (process.platform !== 'linux') return undefined;
  const koffi = requireKoffi();
  if (koffi === undefined || koffi.sizeof('void *') !== POINTER_OCTETS) return undefined;
  const library = koffi.load(null);
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, const void *, uint32_t)'),
    setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    sendto: library.func('int64_t sendto(int, const void *, uint64_t, int, const void *, uint32_t)'),
    recvmmsg: library.func('int recvmmsg(int, void *, uint32_t, int, void *)'),
    ppoll: library.func('int ppoll(void *, uint64_t, const void *, const void *)'),
    eventfd: library.func('int eventfd(uint32_t, int)'),
    read: library.func('int64_t read(int, void *, uint64_t)'),
    write: library.func('int64_t write(int, const void *, uint64_t)'),
    close: library.func('int close(int)'),
    ifNameToIndex: library.func('uint32_t if_nametoindex(const char *)'),
    ifIndexToName: library.func('void *if_indextoname(uint32_t, void *)'),
    setpriority: library.func('int setpriority(int, uint32_t, int)'),
    schedSetscheduler: library.func('int sched_setscheduler(int, int, const void *)'),
    errno: () => koffi.errno(),
    addressOf: (data) => BigInt(koffi.address(data)),
  };
}

export const LITTLE_ENDIAN = endianness() === 'LE';

export const AF = { inet: 2, inet6: 10 } as const;
export const SOCK = { dgram: 2, nonblock: 0o4000, cloexec: 0o2000000 } as const;
export const LEVEL = { socket: 1, ip: 0, ipv6: 41 } as const;
export const OPTION = {
  receiveBuffer: 8,
  bindToDevice: 25,
  attachFilter: 26,
  receiveBufferForce: 33,
  ipTos: 1,
  ipTtl: 2,
  ipPktinfo: 8,
  ipv6UnicastHops: 16,
  ipv6Only: 26,
  ipv6ReceivePktinfo: 49,
  ipv6Pktinfo: 50,
  ipv6Tclass: 67,
} as const;
export const ERRNO = {
  EPERM: 1,
  EAGAIN: 11,
  ENODEV: 19,
  EINTR: 4,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENXIO: 6,
} as const;
export const MSG_DONTWAIT = 0x40;
export const POLLIN = 1;
export const POLLFD_OCTETS = 8;
export const INTERFACE_NAME_OCTETS = 16;
export const SOCKADDR = { in: 16, in6: 28, port: 2, in4Address: 4, in6Address: 8, scope: 24 } as const;

/** Writes a number below 2^32 as an integer of the machine's word size. */
export function setWord(view: DataView, at: number, value: number): void {
  view.setUint32(LITTLE_ENDIAN ? at : at + 4, value, LITTLE_ENDIAN);
  view.setUint32(LITTLE_ENDIAN ? at + 4 : at, 0, LITTLE_ENDIAN);
}

export function setPointer(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, value, LITTLE_ENDIAN);
}

/** struct sockaddr_in or sockaddr_in6. */
export function sockaddr(address: Uint8Array, port: number, scope: number): Uint8Array {
  const v6 = address.length === 16;
  const bytes = new Uint8Array(v6 ? SOCKADDR.in6 : SOCKADDR.in);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, v6 ? AF.inet6 : AF.inet, LITTLE_ENDIAN);
  view.setUint16(SOCKADDR.port, port);
  bytes.set(address, v6 ? SOCKADDR.in6Address : SOCKADDR.in4Address);
  if (v6) view.setUint32(SOCKADDR.scope, scope, LITTLE_ENDIAN);
  return bytes;
}
