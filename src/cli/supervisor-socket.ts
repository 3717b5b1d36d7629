// A datagram to the service manager (sd_notify(3)): Node has no unix datagram sockets, libc has.

import { endianness } from 'node:os';
import { requireKoffi } from '../lib/koffi.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const FAMILY_OCTETS = 2;
/** sun_path of sockaddr_un. */
const LONGEST_PATH = 108;
const LITTLE_ENDIAN = endianness() === 'LE';

/** Sends a message; what gets lost is the manager's to miss. */
export type Notify = (message: string) => void;

/** `path`: of a socket, or `@NAME` in the abstract namespace. Undefined where it cannot be opened. */
export function openNotify(path: string): Notify | undefined {
  const octets = new TextEncoder().encode(path);
  if (process.platform !== 'linux' || octets.length === 0 || octets.length > LONGEST_PATH) return undefined;
  const koffi = requireKoffi();
  if (koffi === undefined) return undefined;
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int, int, int)');
  const sendto = libc.func('long sendto(int, const void *, size_t, int, const void *, uint32_t)');
  const fd: unknown = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (typeof fd !== 'number' || fd < 0) return undefined;
  if (path.startsWith('@')) octets[0] = 0;
  const address = new Uint8Array(FAMILY_OCTETS + octets.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, LITTLE_ENDIAN);
  address.set(octets, FAMILY_OCTETS);
  return (message) => {
    const text = new TextEncoder().encode(message);
    sendto(fd, text, text.length, MSG_NOSIGNAL, address, address.length);
  };
}
