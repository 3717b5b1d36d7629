// The few functions of libc that netlink needs, through koffi. Loaded on demand: without the library (another
// system, no prebuilt binary) everything else still runs.

/** Thin and synchronous; every function returns -1 on failure, and then `errno()` says why. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint32Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  send(fd: number, data: Uint8Array, length: number, flags: number): number;
  recv(fd: number, data: Uint8Array, length: number, flags: number): number;
  close(fd: number): number;
  errno(): number;
  /** The address of an array's first octet, for structures that hold pointers. */
  addressOf(data: Uint8Array): bigint;
  /**
   * Calls back on this thread's event loop whenever `fd` is readable. For the main thread only: the process crashes
   * when it exits while a worker's loop has such a handle.
   */
  pollReadable(fd: number, callback: () => void): FdPoll;
}

export interface FdPoll {
  pause(): void;
  resume(): void;
  /** Must come before the descriptor is closed. */
  close(): void;
}

/** Rejects where koffi or libc cannot be loaded. */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load('libc.so.6');
  const send = library.func('intptr_t send(int fd, const void *data, size_t length, int flags)');
  const recv = library.func('intptr_t recv(int fd, void *data, size_t length, int flags)');
  return {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    bind: library.func('int bind(int fd, const void *address, uint32_t length)'),
    getsockname: library.func('int getsockname(int fd, void *address, void *length)'),
    setsockopt: library.func(
      'int setsockopt(int fd, int level, int option, const void *value, uint32_t length)',
    ),
    send: (fd, data, length, flags) => Number(send(fd, data, length, flags)),
    recv: (fd, data, length, flags) => Number(recv(fd, data, length, flags)),
    close: library.func('int close(int fd)'),
    errno: () => koffi.errno(),
    addressOf: (data) => koffi.address(data),
    pollReadable(fd, callback) {
      const handle = koffi.node.poll(fd, { readable: true }, () => callback());
      return {
        pause: () => handle.stop(),
        resume: () => handle.start({ readable: true }, () => callback()),
        close: () => {
          handle.stop();
          handle.close();
        },
      };
    },
  };
}
