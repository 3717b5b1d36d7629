// Linux sockets with the options that Node has no door to: TCP-MD5 (RFC 2385), TCP-AO (RFC 5925), TTL and GTSM
// (RFC 5082), traffic class, source address before the dial, binding to an interface. libc is called through koffi;
// what comes out is a file descriptor that Node takes over (tcp-transport.ts). Numbers are those of the generic Linux
// ABI. The calls of TCP-AO are native-ao.ts's.

import { endianness } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type { IpBytes } from '../../lib/ip.ts';
import { requireKoffi } from '../../lib/koffi.ts';
import { NativeAo } from './native-ao.ts';
import { heldOctets, memoryInfo, SO_MEMINFO } from './socket-memory.ts';
import { type ListenOptions, type Password, type SocketOptions, TransportError } from './transport.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const LEVEL = { socket: 1, ip: 0, tcp: 6, ipv6: 41 } as const;
const OPTION = {
  reuseAddr: 2,
  bindToDevice: 25,
  ipTos: 1,
  ipTtl: 2,
  ipFreebind: 15,
  ipMinTtl: 21,
  ipv6UnicastHops: 16,
  ipv6Only: 26,
  ipv6Tclass: 67,
  ipv6MinHopCount: 73,
  ipv6Freebind: 78,
  tcpMd5Sig: 14,
  tcpMd5SigExt: 32,
} as const;

/** struct tcp_md5sig of linux/tcp.h */
const MD5 = {
  size: 216,
  flagsAt: 128,
  prefixLengthAt: 129,
  keyLengthAt: 130,
  keyAt: 136,
  maxKey: 80,
  flagPrefix: 1,
} as const;

const SOCKADDR = { in: 16, in6: 28, storage: 128, scopeAt: 24 } as const;
/** DSCP CS6, internetwork control (RFC 4594 §3.2). */
const TRAFFIC_CLASS = 0xc0;
/** So that a SYN-ACK passes the GTSM check of a peer that dials. */
const LISTENER_TTL = 255;
/** Back to the system's own TTL. */
const SYSTEM_TTL = -1;
const INTERFACE_NAME_BYTES = 16;
const ENOENT = 2;

const LITTLE_ENDIAN = endianness() === 'LE';

/** What is called; exported for tests of the octets. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  close(fd: number): number;
  ifNameToIndex(name: string): number;
  ifIndexToName(index: number, name: Uint8Array): unknown;
  getpeername(fd: number, address: Uint8Array, length: Uint8Array): number;
  errno(): number;
}

export interface DialOptions extends SocketOptions {
  readonly remote: { readonly address: IpBytes; readonly zone?: string | undefined };
  readonly local: { readonly address: IpBytes | undefined; readonly port: number };
  readonly interface: string | undefined;
  readonly freebind?: boolean;
}

export class NativeSockets {
  readonly #libc: Libc;
  /** TCP-AO of its sockets. */
  readonly ao: NativeAo;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.ao = new NativeAo({
      libc,
      level: LEVEL.tcp,
      open: (address) => this.#open(address),
      sockaddr: (address) => this.#sockaddr(address, 0, undefined),
      check: (result, what) => this.#check(result, what),
    });
  }

  /** A socket ready to connect. The caller owns the descriptor. Throws TransportError. */
  dialer(options: DialOptions): number {
    const { remote, local } = options;
    // Where the interface is not there, connect() says EINVAL and no more.
    if (remote.zone !== undefined) this.#scope(remote.zone);
    const fd = this.#open(remote.address);
    return this.#closeOnError(fd, () => {
      this.#setInt(fd, 'SO_REUSEADDR', LEVEL.socket, OPTION.reuseAddr, 1);
      this.#setTrafficClass(fd, remote.address);
      if (options.interface !== undefined) this.#bindToDevice(fd, options.interface);
      this.#setHops(fd, remote.address, options.ttl, options.minTtl);
      if (options.password !== undefined) {
        this.#setKey(fd, OPTION.tcpMd5Sig, remote.address, 0, options.password);
      }
      this.ao.prepare(fd, remote.address, options.tcpAo ?? []);
      if (options.freebind === true) this.#bindFreely(fd, remote.address.length === 16);
      if (local.address !== undefined || local.port !== 0) {
        const address = local.address ?? new Uint8Array(remote.address.length);
        this.#bind(fd, address, local.port, remote.zone);
      }
    });
  }

  /**
   * A bound socket that does not listen yet, so that its keys are there before the first SYN. The caller owns the
   * descriptor. Throws TransportError.
   */
  listener(options: ListenOptions): number {
    const fd = this.#open(options.address);
    return this.#closeOnError(fd, () => {
      const v6 = options.address.length === 16;
      this.#setInt(fd, 'SO_REUSEADDR', LEVEL.socket, OPTION.reuseAddr, 1);
      if (v6) this.#setInt(fd, 'IPV6_V6ONLY', LEVEL.ipv6, OPTION.ipv6Only, 1);
      if (options.freebind === true) this.#bindFreely(fd, v6);
      this.#setTrafficClass(fd, options.address);
      this.#setHops(fd, options.address, LISTENER_TTL, undefined);
      if (options.interface !== undefined) this.#bindToDevice(fd, options.interface);
      this.#bind(fd, options.address, options.port, options.zone);
    });
  }

  close(fd: number): void {
    this.#libc.close(fd);
  }

  #bindFreely(fd: number, v6: boolean): void {
    if (v6) this.#setInt(fd, 'IPV6_FREEBIND', LEVEL.ipv6, OPTION.ipv6Freebind, 1);
    else this.#setInt(fd, 'IP_FREEBIND', LEVEL.ip, OPTION.ipFreebind, 1);
  }

  /** TTL, GTSM and key of a connection that stands. */
  configure(fd: number, remote: IpBytes, options: SocketOptions, keyChanged: boolean): void {
    this.#setHops(fd, remote, options.ttl ?? SYSTEM_TTL, options.minTtl);
    if (keyChanged) this.#setKey(fd, OPTION.tcpMd5Sig, remote, 0, options.password);
  }

  /** What the kernel holds of a connection's data, its own overhead included; undefined where it does not say. */
  bufferedBytes(fd: number): number | undefined {
    const { info, length } = memoryInfo();
    const result = this.#libc.getsockopt(fd, LEVEL.socket, SO_MEMINFO, info, length);
    return result < 0 ? undefined : heldOctets(info);
  }

  /** Sets, replaces or (undefined) removes a listener's TCP-MD5 key for a remote prefix. */
  setPassword(fd: number, prefix: { bytes: IpBytes; length: number }, password: Password | undefined): void {
    if (prefix.length === prefix.bytes.length * 8) {
      this.#setKey(fd, OPTION.tcpMd5Sig, prefix.bytes, 0, password);
    } else {
      this.#setKey(fd, OPTION.tcpMd5SigExt, prefix.bytes, prefix.length, password);
    }
  }

  /** Interface of the link-local peer on this connection; undefined for any other address. */
  remoteZone(fd: number): string | undefined {
    const address = new Uint8Array(SOCKADDR.storage);
    const length = new Uint8Array(4);
    view(length).setUint32(0, address.length, LITTLE_ENDIAN);
    if (this.#libc.getpeername(fd, address, length) < 0) return undefined;
    if (view(address).getUint16(0, LITTLE_ENDIAN) !== AF_INET6) return undefined;
    const index = view(address).getUint32(SOCKADDR.scopeAt, LITTLE_ENDIAN);
    const name = new Uint8Array(INTERFACE_NAME_BYTES);
    if (index === 0 || this.#libc.ifIndexToName(index, name) === null) return undefined;
    return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
  }

  #open(address: IpBytes): number {
    const domain = address.length === 16 ? AF_INET6 : AF_INET;
    const fd = this.#libc.socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    this.#check(fd, 'socket');
    return fd;
  }

  #closeOnError(fd: number, prepare: () => void): number {
    try {
      prepare();
      return fd;
    } catch (error) {
      this.#libc.close(fd);
      throw error;
    }
  }

  #check(result: number, what: string): void {
    if (result >= 0) return;
    throw systemError(this.#libc.errno(), what);
  }

  #bind(fd: number, address: IpBytes, port: number, zone: string | undefined): void {
    const sockaddr = this.#sockaddr(address, port, zone);
    this.#check(this.#libc.bind(fd, sockaddr, sockaddr.length), 'bind');
  }

  #sockaddr(address: IpBytes, port: number, zone: string | undefined): Uint8Array {
    const v6 = address.length === 16;
    const bytes = new Uint8Array(v6 ? SOCKADDR.in6 : SOCKADDR.in);
    const data = view(bytes);
    data.setUint16(0, v6 ? AF_INET6 : AF_INET, LITTLE_ENDIAN);
    data.setUint16(2, port);
    bytes.set(address, v6 ? 8 : 4);
    if (v6 && zone !== undefined) {
      data.setUint32(SOCKADDR.scopeAt, this.#scope(zone), LITTLE_ENDIAN);
    }
    return bytes;
  }

  #scope(zone: string): number {
    const index = this.#libc.ifNameToIndex(zone);
    if (index === 0) throw new TransportError('ENODEV', `no interface ${zone}`);
    return index;
  }

  #setInt(fd: number, what: string, level: number, option: number, value: number): void {
    const bytes = new Uint8Array(4);
    view(bytes).setInt32(0, value, LITTLE_ENDIAN);
    this.#check(this.#libc.setsockopt(fd, level, option, bytes, bytes.length), what);
  }

  #bindToDevice(fd: number, name: string): void {
    const bytes = new TextEncoder().encode(`${name}\0`);
    const result = this.#libc.setsockopt(fd, LEVEL.socket, OPTION.bindToDevice, bytes, bytes.length);
    this.#check(result, `SO_BINDTODEVICE ${name}`);
  }

  #setTrafficClass(fd: number, address: IpBytes): void {
    if (address.length === 16) {
      this.#setInt(fd, 'IPV6_TCLASS', LEVEL.ipv6, OPTION.ipv6Tclass, TRAFFIC_CLASS);
    } else {
      this.#setInt(fd, 'IP_TOS', LEVEL.ip, OPTION.ipTos, TRAFFIC_CLASS);
    }
  }

  #setHops(fd: number, address: IpBytes, ttl: number | undefined, minTtl: number | undefined): void {
    const v6 = address.length === 16;
    if (ttl !== undefined) {
      if (v6) this.#setInt(fd, 'IPV6_UNICAST_HOPS', LEVEL.ipv6, OPTION.ipv6UnicastHops, ttl);
      else this.#setInt(fd, 'IP_TTL', LEVEL.ip, OPTION.ipTtl, ttl);
    }
    if (minTtl !== undefined) {
      if (v6) this.#setInt(fd, 'IPV6_MINHOPCOUNT', LEVEL.ipv6, OPTION.ipv6MinHopCount, minTtl);
      else this.#setInt(fd, 'IP_MINTTL', LEVEL.ip, OPTION.ipMinTtl, minTtl);
    }
  }

  #setKey(
    fd: number,
    option: number,
    address: IpBytes,
    prefixLength: number,
    password: Password | undefined,
  ): void {
    const key = new TextEncoder().encode(password?.reveal() ?? '');
    if (key.length > MD5.maxKey) {
      throw new TransportError('EINVAL', `TCP-MD5 password longer than ${MD5.maxKey} octets`);
    }
    const bytes = new Uint8Array(MD5.size);
    bytes.set(this.#sockaddr(address, 0, undefined));
    if (option === OPTION.tcpMd5SigExt) bytes[MD5.flagsAt] = MD5.flagPrefix;
    bytes[MD5.prefixLengthAt] = prefixLength;
    view(bytes).setUint16(MD5.keyLengthAt, key.length, LITTLE_ENDIAN);
    bytes.set(key, MD5.keyAt);
    const result = this.#libc.setsockopt(fd, LEVEL.tcp, option, bytes, bytes.length);
    bytes.fill(0);
    key.fill(0);
    // Removing a key that is not there leaves things as they should be.
    if (result < 0 && password === undefined && this.#libc.errno() === ENOENT) return;
    this.#check(result, 'TCP-MD5');
  }
}

/** The binding to libc; undefined on another system or without koffi. */
export function loadNativeSockets(): NativeSockets | undefined {
  if (process.platform !== 'linux') return undefined;
  const koffi = requireKoffi();
  if (koffi === undefined) return undefined;
  const lib = koffi.load(null);
  return new NativeSockets({
    socket: lib.func('int socket(int, int, int)'),
    setsockopt: lib.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    getsockopt: lib.func('int getsockopt(int, int, int, void *, void *)'),
    bind: lib.func('int bind(int, const void *, uint32_t)'),
    close: lib.func('int close(int)'),
    ifNameToIndex: lib.func('uint32_t if_nametoindex(const char *)'),
    ifIndexToName: lib.func('void *if_indextoname(uint32_t, void *)'),
    getpeername: lib.func('int getpeername(int, void *, void *)'),
    errno: () => koffi.errno(),
  });
}

function systemError(errno: number, what: string): TransportError {
  const [name, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, `error ${errno}`];
  return new TransportError(name, `${what}: ${text}`);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
