// Can godwit work with this machine's kernel? Asked before anything is started, answered in one sentence that a
// person can act on. Reading routes needs no privilege; writing them needs CAP_NET_ADMIN, and the only honest test is
// to ask the kernel for something that changes nothing.

import { errorText } from '../../lib/error-text.ts';
import { ERRNO, explainErrno } from '../errno.ts';
import { ROUTE_OPERATION } from '../types.ts';
import { NetlinkKernelCore } from './kernel-core.ts';
import { type Libc, loadLibc } from './libc.ts';

export type KernelProbe = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A table that nobody uses, for a deletion that can only fail. */
const NOBODYS_TABLE = 0xfffffff0;
const PROBE_PROTOCOL = 12;

export async function probeKernel(options: { write: boolean }): Promise<KernelProbe> {
  if (process.platform !== 'linux') {
    return { ok: false, reason: `kernel routes need Linux; this is ${process.platform}` };
  }
  let libc: Libc;
  try {
    libc = await loadLibc();
  } catch (error) {
    return {
      ok: false,
      reason: `kernel routes need the koffi library, which does not load: ${messageOf(error)}`,
    };
  }
  let core: NetlinkKernelCore;
  try {
    core = new NetlinkKernelCore(libc);
  } catch (error) {
    return { ok: false, reason: `the kernel gives no netlink socket: ${messageOf(error)}` };
  }
  try {
    return options.write ? await probeWriting(core) : { ok: true };
  } finally {
    await core.close();
  }
}

async function probeWriting(core: NetlinkKernelCore): Promise<KernelProbe> {
  core.defineTarget(1, {
    type: 'unicast',
    nextHops: [],
    table: NOBODYS_TABLE,
    protocol: PROBE_PROTOCOL,
    metric: 0,
  });
  const [failure] = await core.apply({
    addressBytes: 4,
    count: 1,
    kinds: Uint8Array.of(ROUTE_OPERATION.delete),
    words: Int32Array.of(0),
    bits: Uint8Array.of(0),
    targets: Uint32Array.of(1),
  });
  if (failure === undefined || failure.errno === ERRNO.ESRCH || failure.errno === ERRNO.ENOENT) {
    return { ok: true };
  }
  if (failure.errno === ERRNO.EPERM || failure.errno === ERRNO.EACCES) {
    return { ok: false, reason: 'installing kernel routes needs root or the capability CAP_NET_ADMIN' };
  }
  return {
    ok: false,
    reason: `the kernel refuses route changes: ${explainErrno(failure.errno, failure.text)}`,
  };
}

function messageOf(error: unknown): string {
  return errorText(error);
}
