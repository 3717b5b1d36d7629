// BFD's UDP sockets: those that receive, one a family and port for all sessions, and one that sends for each session,
// with a source port of its own (RFC 5881 §4). Everything leaves with TTL 255; of what arrives on the port for single
// hops the kernel itself drops what has less, by a socket filter (§5): Linux checks IP_MINTTL for TCP only.

import { getSystemErrorMap } from 'node:util';
import { BfdTransportError } from '../transport.ts';
import { AF, ERRNO, LEVEL, LITTLE_ENDIAN, type Libc, OPTION, SOCK, setPointer, sockaddr } from './libc.ts';

/** RFC 5082 §3, RFC 5881 §5. */
const TTL = 255;
/** DSCP CS6, internetwork control (RFC 4594 §3.2). */
const TRAFFIC_CLASS = 0xc0;
/** Octets; the kernel counts about 800 for a packet. */
const RECEIVE_BUFFER = 4 << 20;

/** Classic BPF: octets of an instruction, and the few that are needed (linux/filter.h). */
const BPF = {
  octets: 8,
  loadByte: 0x30,
  jumpIfEqual: 0x15,
  return: 0x06,
  networkHeader: 0xfff0_0000,
} as const;
const TTL_AT = { v4: 8, v6: 7 } as const;
const WHOLE = 0xffff_ffff;

/** A socket that receives for all sessions of a family and port. Throws BfdTransportError. */
export function openReceiver(libc: Libc, v6: boolean, port: number, checkTtl: boolean): number {
  return open(libc, v6, (fd) => {
    if (v6) set(libc, fd, 'IPV6_V6ONLY', LEVEL.ipv6, OPTION.ipv6Only, 1);
    if (checkTtl) filter(libc, fd, onlyTtl(v6 ? TTL_AT.v6 : TTL_AT.v4));
    if (v6) set(libc, fd, 'IPV6_RECVPKTINFO', LEVEL.ipv6, OPTION.ipv6ReceivePktinfo, 1);
    else set(libc, fd, 'IP_PKTINFO', LEVEL.ip, OPTION.ipPktinfo, 1);
    enlarge(libc, fd);
    const any = sockaddr(new Uint8Array(v6 ? 16 : 4), port, 0);
    if (libc.bind(fd, any, any.length) < 0) {
      const errno = libc.errno();
      if (errno !== ERRNO.EADDRINUSE) throw problem(errno, `bind to UDP port ${port}`);
      throw new BfdTransportError(`UDP port ${port} is taken: another BFD daemon runs here`);
    }
  });
}

export interface SenderOptions {
  readonly local: Uint8Array;
  readonly port: number;
  readonly ifindex: number;
  readonly interface: string | undefined;
}

/** A socket that sends for one session; 'taken' where the source port is. Throws BfdTransportError. */
export function openSender(libc: Libc, options: SenderOptions): number | 'taken' {
  const v6 = options.local.length === 16;
  let taken = false;
  const fd = open(libc, v6, (socket) => {
    // Answers go to the well-known port; what comes here is not for us.
    filter(libc, socket, [[BPF.return, 0, 0, 0]]);
    if (v6) set(libc, socket, 'IPV6_UNICAST_HOPS', LEVEL.ipv6, OPTION.ipv6UnicastHops, TTL);
    else set(libc, socket, 'IP_TTL', LEVEL.ip, OPTION.ipTtl, TTL);
    if (v6) set(libc, socket, 'IPV6_TCLASS', LEVEL.ipv6, OPTION.ipv6Tclass, TRAFFIC_CLASS);
    else set(libc, socket, 'IP_TOS', LEVEL.ip, OPTION.ipTos, TRAFFIC_CLASS);
    if (options.interface !== undefined) {
      const name = new TextEncoder().encode(`${options.interface}\0`);
      check(
        libc,
        libc.setsockopt(socket, LEVEL.socket, OPTION.bindToDevice, name, name.length),
        `binding to ${options.interface}`,
      );
    }
    const address = sockaddr(options.local, options.port, options.ifindex);
    if (libc.bind(socket, address, address.length) >= 0) return;
    const errno = libc.errno();
    if (errno !== ERRNO.EADDRINUSE) throw problem(errno, 'bind to the local address');
    taken = true;
  });
  if (!taken) return fd;
  libc.close(fd);
  return 'taken';
}

/** What an errno of a send means for people. */
export function sendProblem(errno: number): string {
  return problem(errno, 'packets cannot be sent').message;
}

function open(libc: Libc, v6: boolean, prepare: (fd: number) => void): number {
  const fd = libc.socket(v6 ? AF.inet6 : AF.inet, SOCK.dgram | SOCK.nonblock | SOCK.cloexec, 0);
  check(libc, fd, 'socket');
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function set(libc: Libc, fd: number, what: string, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, LITTLE_ENDIAN);
  check(libc, libc.setsockopt(fd, level, option, bytes, bytes.length), what);
}

/** Beyond the system's limit where that is allowed, else up to it. */
function enlarge(libc: Libc, fd: number): void {
  try {
    set(libc, fd, 'SO_RCVBUFFORCE', LEVEL.socket, OPTION.receiveBufferForce, RECEIVE_BUFFER);
  } catch (error) {
    if (!(error instanceof BfdTransportError)) throw error;
    set(libc, fd, 'SO_RCVBUF', LEVEL.socket, OPTION.receiveBuffer, RECEIVE_BUFFER);
  }
}

/** Code, jump if true, jump if false, constant. */
type Instruction = readonly [number, number, number, number];

function onlyTtl(at: number): readonly Instruction[] {
  return [
    [BPF.loadByte, 0, 0, BPF.networkHeader + at],
    [BPF.jumpIfEqual, 0, 1, TTL],
    [BPF.return, 0, 0, WHOLE],
    [BPF.return, 0, 0, 0],
  ];
}

function filter(libc: Libc, fd: number, program: readonly Instruction[]): void {
  // Large enough to stay where it is.
  const code = new Uint8Array(16 * BPF.octets);
  const view = new DataView(code.buffer);
  for (const [i, [operation, ifTrue, ifFalse, constant]] of program.entries()) {
    const at = i * BPF.octets;
    view.setUint16(at, operation, LITTLE_ENDIAN);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, constant, LITTLE_ENDIAN);
  }
  const head = new Uint8Array(16);
  const headView = new DataView(head.buffer);
  headView.setUint16(0, program.length, LITTLE_ENDIAN);
  setPointer(headView, 8, libc.addressOf(code));
  check(libc, libc.setsockopt(fd, LEVEL.socket, OPTION.attachFilter, head, head.length), 'SO_ATTACH_FILTER');
}

function check(libc: Libc, result: number, what: string): void {
  if (result < 0) throw problem(libc.errno(), what);
}

const HINTS: Readonly<Record<string, string>> = {
  EPERM: 'not permitted: a firewall, or the process lacks CAP_NET_RAW to bind to an interface',
  EADDRNOTAVAIL: 'this machine does not have the local address',
  ENODEV: 'there is no such interface',
  ENETUNREACH: 'no route to the peer',
  EHOSTUNREACH: 'no such host on the link, or no route',
  ENETDOWN: 'the interface is down',
};

function problem(errno: number, what: string): BfdTransportError {
  const [name, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, `error ${errno}`];
  return new BfdTransportError(`${what}: ${name}, ${HINTS[name] ?? text}`);
}
