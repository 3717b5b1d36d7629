// Sockets of another process, borrowed by descriptor (pidfd_getfd(2)): so a test can change the keys of a daemon that
// would end its session over it, as routers do that change them under a session.

import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';

const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;
const AF_INET = 2;
const SOCKADDR_OCTETS = 128;

/** Calls `use` with each TCP/IPv4 socket of the process that is connected to `address`; returns how many there are. */
export function withSocketsTo(pid: number, address: string, use: (fd: number) => void): number {
  const libc = koffi.load(null);
  const syscall = libc.func('long syscall(long, long, long, long)');
  const getpeername = libc.func('int getpeername(int, void *, void *)');
  const descriptor = Number(syscall(SYS_PIDFD_OPEN, pid, 0, 0));
  if (descriptor < 0) throw new Error(`pidfd_open: errno ${koffi.errno()}`);
  let found = 0;
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    if (!openFile(pid, name)?.startsWith('socket:')) continue;
    const fd = Number(syscall(SYS_PIDFD_GETFD, descriptor, Number(name), 0));
    if (fd < 0) continue;
    const peer = Buffer.alloc(SOCKADDR_OCTETS);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(peer.length);
    const connected = getpeername(fd, peer, length) === 0 && peer.readUInt16LE(0) === AF_INET;
    if (connected && [...peer.subarray(4, 8)].join('.') === address) {
      found++;
      use(fd);
    }
    closeSync(fd);
  }
  closeSync(descriptor);
  return found;
}

/** What a descriptor of the process stands for; undefined where it was closed since it was listed. */
function openFile(pid: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
