// Names and plain words for the errors that the kernel answers to route operations.

/** Linux errno numbers that rtnetlink and netlink sockets return (asm-generic/errno.h). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  EHOSTUNREACH: 113,
} as const;

const WORDS: Readonly<Record<string, string>> = {
  EPERM: 'not permitted: CAP_NET_ADMIN is missing',
  EACCES: 'not permitted: CAP_NET_ADMIN is missing',
  ENOENT: 'no such route',
  ESRCH: 'no such route',
  ENOMEM: 'the kernel is out of memory',
  EEXIST: 'another route with the same prefix, table and metric is in its place',
  ENODEV: 'no such interface',
  EINVAL: 'the kernel finds the route invalid',
  ENOSPC: 'the kernel has no room for more routes',
  ENETDOWN: 'the interface is down',
  ENETUNREACH: 'the next hop is not on a connected network',
  EHOSTUNREACH: 'the next hop is not on a connected network',
  ENOBUFS: 'the kernel lost the answer',
};

export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(ERRNO)) if (value === errno) return name;
  return `errno ${errno}`;
}

/** One sentence for a person: `ENETUNREACH: the next hop is not on a connected network`. */
export function explainErrno(errno: number, kernelText?: string): string {
  const name = errnoName(errno);
  const words = kernelText ?? WORDS[name];
  return words === undefined ? name : `${name}: ${words}`;
}
