// The system calls of TCP-AO (RFC 5925) on sockets that native-socket.ts makes: whether the kernel has it, keys before
// a dial and for a listener, and their exchange under a connection. The octets are tcp-ao.ts's.

import type { IpBytes } from '../../lib/ip.ts';
import type { Libc } from './native-socket.ts';
import {
  AO_OPTION,
  type AoKey,
  type AoScope,
  aoAdd,
  aoChanges,
  aoDelete,
  aoInfo,
  aoRequire,
  preferredKey,
} from './tcp-ao.ts';
import { TransportError } from './transport.ts';

const EBUSY = 16;
const EEXIST = 17;
const ENOPROTOOPT = 92;
/** TEST-NET-1: for keys that are never used. */
const NOBODY = Uint8Array.of(192, 0, 2, 1);
const PROBE = { reveal: () => 'probe', octets: () => Buffer.from('probe') };

/** What it needs of its maker. */
export interface AoTools {
  readonly libc: Pick<Libc, 'setsockopt' | 'getsockopt' | 'close' | 'errno'>;
  /** IPPROTO_TCP */
  readonly level: number;
  /** A socket of the address's family. Throws TransportError. */
  open(address: IpBytes): number;
  sockaddr(address: IpBytes): Uint8Array;
  /** Throws TransportError for a result below zero. */
  check(result: number, what: string): void;
}

export class NativeAo {
  readonly #tools: AoTools;
  /** Asked once, when it is first wanted. */
  #isThere: boolean | undefined;

  constructor(tools: AoTools) {
    this.#tools = tools;
  }

  /** Gives a socket its keys before it dials. Throws TransportError. */
  prepare(fd: number, remote: IpBytes, keys: readonly AoKey[]): void {
    this.#add(fd, this.#hostScope(remote), keys, preferredKey(keys));
  }

  /** Makes sure that an accepted connection is signed, which it has its keys for from the listener. */
  require(fd: number, keys: readonly AoKey[]): void {
    this.#assure();
    const info = aoInfo();
    const length = new Uint8Array(Uint32Array.of(info.length).buffer);
    const { libc, level, check } = this.#tools;
    check(
      libc.getsockopt(fd, level, AO_OPTION.info, info, length),
      'the connection is not signed with TCP-AO',
    );
    check(this.#set(fd, AO_OPTION.info, aoRequire(preferredKey(keys))), 'TCP-AO: asking for a key');
  }

  /** Exchanges the keys of a connection that stands: the new ones come before the old ones go. */
  change(fd: number, remote: IpBytes, before: readonly AoKey[], after: readonly AoKey[]): void {
    const scope = this.#hostScope(remote);
    const { added, removed } = aoChanges(before, after);
    this.#add(fd, scope, added, undefined);
    this.require(fd, after);
    for (const key of removed) this.#delete(fd, scope, key, preferredKey(after));
  }

  /** The same for a listener and the prefix that may connect. */
  changeFor(
    fd: number,
    prefix: { bytes: IpBytes; length: number },
    before: readonly AoKey[],
    after: readonly AoKey[],
  ): void {
    const scope = { sockaddr: this.#tools.sockaddr(prefix.bytes), prefixLength: prefix.length };
    const { added, removed } = aoChanges(before, after);
    this.#add(fd, scope, added, undefined);
    for (const key of removed) this.#delete(fd, scope, key, undefined);
  }

  #set(fd: number, option: number, value: Uint8Array): number {
    return this.#tools.libc.setsockopt(fd, this.#tools.level, option, value, value.length);
  }

  #hostScope(address: IpBytes): AoScope {
    return { sockaddr: this.#tools.sockaddr(address), prefixLength: address.length * 8 };
  }

  /** `first`: the one to sign with from the start. */
  #add(fd: number, scope: AoScope, keys: readonly AoKey[], first: AoKey | undefined): void {
    if (keys.length === 0) return;
    this.#assure();
    for (const key of keys) {
      const bytes = aoAdd(scope, key, key === first);
      let result = this.#set(fd, AO_OPTION.addKey, bytes);
      // A listener of another process has keys of these ids, and what is behind them cannot be asked.
      if (result < 0 && this.#tools.libc.errno() === EEXIST) {
        this.#delete(fd, scope, key, undefined);
        result = this.#set(fd, AO_OPTION.addKey, bytes);
      }
      bytes.fill(0);
      this.#tools.check(result, `TCP-AO key ${key.sendId}/${key.receiveId}, ${key.algorithm}`);
    }
  }

  #delete(fd: number, scope: AoScope, key: AoKey, instead: AoKey | undefined): void {
    let result = this.#set(fd, AO_OPTION.deleteKey, aoDelete(scope, key, undefined));
    // In use by now: the preferred one takes over at once, as the operator took this one away.
    if (result < 0 && instead !== undefined && this.#tools.libc.errno() === EBUSY) {
      result = this.#set(fd, AO_OPTION.deleteKey, aoDelete(scope, key, instead));
    }
    this.#tools.check(result, `TCP-AO key ${key.sendId}/${key.receiveId} cannot be removed`);
  }

  /** Throws where this kernel has no TCP-AO: nobody goes on without what was asked for. */
  #assure(): void {
    this.#isThere ??= this.#probe();
    if (!this.#isThere) {
      throw new TransportError(
        'ENOPROTOOPT',
        'this kernel has no TCP-AO: boot Linux 6.7 or later built with CONFIG_TCP_AO, or use password (TCP-MD5) ' +
          'on both sides; without it there is no session',
      );
    }
  }

  /** Any answer but "no such option" comes from a kernel that knows what it is asked. */
  #probe(): boolean {
    const { libc } = this.#tools;
    const fd = this.#tools.open(NOBODY);
    const key = { sendId: 0, receiveId: 0, algorithm: 'hmac-sha1', use: 'normal' } as const;
    const bytes = aoAdd(this.#hostScope(NOBODY), { ...key, secret: PROBE }, false);
    const missing = this.#set(fd, AO_OPTION.addKey, bytes) < 0 && libc.errno() === ENOPROTOOPT;
    libc.close(fd);
    return !missing;
  }
}
