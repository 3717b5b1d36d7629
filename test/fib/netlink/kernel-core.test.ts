// The kernel's answers as they should not be: interrupted dumps, lost answers, sockets that cannot be had. The real kernel is
// netlink-kernel.test.ts's.

import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../../src/fib/errno.ts';
import {
  HOST_IS_LITTLE_ENDIAN,
  IFINFOMSG_BYTES,
  IFLA,
  NLM_F,
  NLMSG,
  RTM,
} from '../../../src/fib/netlink/constants.ts';
import { NetlinkKernelCore } from '../../../src/fib/netlink/kernel-core.ts';
import type { Libc } from '../../../src/fib/netlink/libc.ts';
import { AttributeWriter, writeHeader } from '../../../src/fib/netlink/messages.ts';
import { ROUTE_OPERATION, type RouteBatch } from '../../../src/fib/types.ts';
import { viewOf } from '../../../src/lib/bytes.ts';

const LE = HOST_IS_LITTLE_ENDIAN;
const HEADER = 16;

/** A datagram, or a negative errno. */
type Answer = Uint8Array | number;

/** Sockets whose kernel answers what a test says; counts descriptors. */
class FakeLibc implements Libc {
  readonly open = new Set<number>();
  /** What is answered to the messages of one send, by their sequence numbers. */
  answer: (seqs: readonly number[]) => Answer[] = () => [];
  failBind = false;
  sends = 0;
  readonly #waiting = new Map<number, Answer[]>();
  #next = 3;
  #errno = 0;

  socket(): number {
    const fd = this.#next++;
    this.open.add(fd);
    return fd;
  }

  bind(): number {
    return this.failBind ? this.#fail(ERRNO.EPERM) : 0;
  }

  getsockname(): number {
    return 0;
  }

  setsockopt(): number {
    return 0;
  }

  send(fd: number, data: Uint8Array, length: number): number {
    this.sends++;
    const view = viewOf(data);
    const seqs: number[] = [];
    for (let at = 0; at < length; at += view.getUint32(at, LE)) seqs.push(view.getUint32(at + 8, LE));
    this.#waiting.set(fd, [...(this.#waiting.get(fd) ?? []), ...this.answer(seqs)]);
    return length;
  }

  recv(fd: number, data: Uint8Array): number {
    const answer = this.#waiting.get(fd)?.shift() ?? -ERRNO.EAGAIN;
    if (typeof answer === 'number') return this.#fail(-answer);
    data.set(answer);
    return answer.length;
  }

  close(fd: number): number {
    this.open.delete(fd);
    return 0;
  }

  errno(): number {
    return this.#errno;
  }

  addressOf(): bigint {
    return 0n;
  }

  pollReadable(): never {
    throw new Error('nobody listens here');
  }

  #fail(errno: number): number {
    this.#errno = errno;
    return -1;
  }
}

function message(type: number, flags: number, seq: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length);
  writeHeader(viewOf(bytes), 0, bytes.length, type, flags, seq);
  bytes.set(body, HEADER);
  return bytes;
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function link(seq: number, ifindex: number, flags = 0): Uint8Array {
  const attributes = new AttributeWriter();
  attributes.octets(IFLA.name, new TextEncoder().encode(`eth${ifindex}\0`));
  const head = new Uint8Array(IFINFOMSG_BYTES);
  viewOf(head).setInt32(4, ifindex, LE);
  return message(RTM.newLink, flags, seq, join(head, attributes.finish()));
}

function answered(seq: number, errno: number): Uint8Array {
  const body = new Uint8Array(4 + HEADER);
  viewOf(body).setInt32(0, -errno, LE);
  return message(NLMSG.error, NLM_F.capped, seq, body);
}

const done = (seq: number, flags = 0) => message(NLMSG.done, flags, seq, new Uint8Array(4));

/** Deletions, which any answer suits. */
function batchOf(count: number): RouteBatch {
  return {
    addressBytes: 4,
    count,
    kinds: new Uint8Array(count).fill(ROUTE_OPERATION.delete),
    words: Int32Array.from({ length: count }, (_, i) => i << 8),
    bits: new Uint8Array(count).fill(24),
    targets: new Uint32Array(count).fill(1),
  };
}

function setup() {
  const libc = new FakeLibc();
  const core = new NetlinkKernelCore(libc);
  core.defineTarget(1, { type: 'blackhole', nextHops: [], table: 254, protocol: 12, metric: 0 });
  return { libc, core };
}

describe('a dump of links', () => {
  it('that was interrupted is asked for again: some may have been passed over', async () => {
    const { libc, core } = setup();
    const dumps = [
      (seq: number) => [link(seq, 2, NLM_F.dumpInterrupted), done(seq)],
      (seq: number) => [link(seq, 2), done(seq, NLM_F.dumpInterrupted)],
      (seq: number) => [join(link(seq, 2), link(seq, 3)), done(seq)],
    ];
    libc.answer = ([seq = 0]) => dumps.shift()!(seq);
    expect((await core.dumpLinks()).map(({ name }) => name)).toEqual(['eth2', 'eth3']);
    expect(dumps).toEqual([]);
  });

  it('that is interrupted for ever ends with what there was', async () => {
    const { libc, core } = setup();
    libc.answer = ([seq = 0]) => [link(seq, 2, NLM_F.dumpInterrupted), done(seq)];
    expect(await core.dumpLinks()).toHaveLength(1);
    expect(libc.sends).toBe(5);
  });

  it('takes what belongs to another request for nothing', async () => {
    const { libc, core } = setup();
    libc.answer = ([seq = 0]) => [link(seq + 1, 7), done(seq + 1), link(seq, 2), done(seq)];
    expect((await core.dumpLinks()).map(({ ifindex }) => ifindex)).toEqual([2]);
  });
});

describe('sockets', () => {
  it('of dumps are closed, whatever became of them', async () => {
    const { libc, core } = setup();
    const before = libc.open.size;
    libc.answer = ([seq = 0]) => [answered(seq, ERRNO.ENOMEM)];
    await expect(core.dumpLinks()).rejects.toThrow('ENOMEM');
    libc.answer = () => [-ERRNO.ENOBUFS];
    await expect(core.scanRoutes(4, () => {})).rejects.toThrow('ENOBUFS');
    libc.failBind = true;
    await expect(core.dumpAddresses()).rejects.toThrow('EPERM');
    expect(libc.open.size).toBe(before);
    await core.close();
    expect(libc.open.size).toBe(0);
  });
});

describe('operations', () => {
  it('fail each for itself', async () => {
    const { libc, core } = setup();
    libc.answer = (seqs) => [answered(seqs[1]!, ERRNO.EBUSY), answered(seqs.at(-1)!, ERRNO.ESRCH)];
    const failures = await core.apply(batchOf(5));
    expect(failures.map(({ index, name }) => [index, name])).toEqual([
      [1, 'EBUSY'],
      [4, 'ESRCH'],
    ]);
  });

  it('whose answers are lost count as failed, all of one send, and later ones are not mistaken for them', async () => {
    const { libc, core } = setup();
    libc.answer = (seqs) => [
      answered(seqs[0]!, ERRNO.ESRCH),
      -ERRNO.ENOBUFS,
      answered(seqs.at(-1)!, ERRNO.EEXIST),
    ];
    const failures = await core.apply(batchOf(3));
    expect(failures.map(({ index, name }) => [index, name])).toEqual([0, 1, 2].map((i) => [i, 'ENOBUFS']));
    libc.answer = (seqs) => [answered(seqs.at(-1)!, 0)];
    expect(await core.apply(batchOf(3))).toEqual([]);
  });

  it('are sent in parts', async () => {
    const { libc, core } = setup();
    let parts = 0;
    libc.answer = (seqs) => {
      parts++;
      return [answered(seqs[0]!, ERRNO.ESRCH), answered(seqs.at(-1)!, 0)];
    };
    const failures = await core.apply(batchOf(2500));
    expect(parts).toBe(3);
    expect(failures.map(({ index }) => index)).toEqual([0, 1000, 2000]);
  });
});
