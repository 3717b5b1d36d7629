// The Authentication Section of BFD Control packets: simple password, keyed and meticulous keyed MD5 and SHA1
// (RFC 5880 §4.2 to §4.4 and §6.7). The sequence numbers of both directions are kept here; when they are forgotten is
// the session's business.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../lib/clock.ts';
import { HEADER_OCTETS } from './packet.ts';
import {
  AUTHENTICATION,
  type AuthenticationName,
  type AuthenticationType,
  type Discard,
} from './protocol.ts';

export interface AuthenticationKey {
  /** Auth Key ID, 0 to 255. */
  readonly id: number;
  /** Octets, 1 to the type's longest. */
  readonly secret: Uint8Array;
}

export interface AuthenticationOptions {
  readonly type: AuthenticationName;
  /** The first one is sent with; any of them is accepted. */
  readonly keys: readonly AuthenticationKey[];
}

const AT = { type: 0, length: 1, keyId: 2, password: 3, sequence: 4, digest: 8 } as const;
const UINT32 = 2 ** 32;
/** §6.7.3: how far a sequence number may be ahead, in Detect Mults. */
const WINDOW = 3;

export class Authenticator {
  readonly #type: AuthenticationType;
  #keys: readonly AuthenticationKey[] = [];
  /** bfd.XmitAuthSeq */
  #nextSequence: number;
  /** bfd.RcvAuthSeq; undefined where bfd.AuthSeqKnown is 0. */
  #received: number | undefined;

  /** Throws RangeError without a key, or with one that does not fit. */
  constructor(options: AuthenticationOptions, random: Random) {
    this.#type = AUTHENTICATION[options.type];
    this.#nextSequence = Math.floor(random() * UINT32);
    this.useKeys(options);
  }

  /** Other keys of the same type; the sequence numbers go on. Throws as the constructor does. */
  useKeys({ type, keys }: AuthenticationOptions): void {
    const { longestKey } = this.#type;
    for (const { secret } of keys) {
      if (secret.length < 1 || secret.length > longestKey) {
        throw new RangeError(`a key for ${type} has 1 to ${longestKey} octets`);
      }
    }
    if (keys.length === 0) throw new RangeError('authentication needs a key');
    this.#keys = keys;
  }

  get #sending(): AuthenticationKey {
    return this.#keys[0]!;
  }

  /** Octets that the section adds to each packet. */
  get octets(): number {
    const { digest } = this.#type;
    return digest === undefined ? AT.password + this.#sending.secret.length : AT.digest + digest.octets;
  }

  /** The number sent last, for another process to go on from: the other side would refuse a leap. */
  get sequence(): number {
    return this.#nextSequence;
  }

  goOn(sequence: number): void {
    this.#nextSequence = sequence;
  }

  /** §6.8.1: after a long silence the other side may have started anew. */
  forgetSequence(): void {
    this.#received = undefined;
  }

  /**
   * Writes the section behind the header of the packet at the start of `bytes`. `differs`: the packet says something
   * else than the one before, so that it gets a number of its own (§6.7.3).
   */
  sign(bytes: Uint8Array, view: DataView, differs: boolean): void {
    const at = HEADER_OCTETS;
    const { digest, code, meticulous } = this.#type;
    const { id, secret } = this.#sending;
    bytes[at + AT.type] = code;
    bytes[at + AT.length] = this.octets;
    bytes[at + AT.keyId] = id;
    if (digest === undefined) {
      bytes.set(secret, at + AT.password);
      return;
    }
    if (meticulous || differs) this.#nextSequence = (this.#nextSequence + 1) % UINT32;
    bytes[at + AT.password] = 0;
    view.setUint32(at + AT.sequence, this.#nextSequence);
    placeKey(bytes, at + AT.digest, secret, digest.octets);
    const end = at + AT.digest + digest.octets;
    bytes.set(createHash(digest.algorithm).update(bytes.subarray(0, end)).digest(), at + AT.digest);
  }

  /** Checks the packet in `bytes[start, start + length)`; gives why it must be discarded. §6.7.2 to §6.7.4. */
  verify(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    length: number,
    detectMultiplier: number,
  ): Discard | undefined {
    const at = start + HEADER_OCTETS;
    const { digest, code } = this.#type;
    if (view.getUint8(at + AT.type) !== code) return 'authentication-type';
    const sectionOctets = view.getUint8(at + AT.length);
    if (HEADER_OCTETS + sectionOctets !== length || sectionOctets <= AT.keyId) return 'authentication-length';
    const keyId = view.getUint8(at + AT.keyId);
    const key = this.#keys.find(({ id }) => id === keyId);
    if (key === undefined) return 'authentication-key';
    if (digest === undefined) {
      if (sectionOctets !== AT.password + key.secret.length) return 'authentication-length';
      const password = bytes.subarray(at + AT.password, start + length);
      return timingSafeEqual(password, key.secret) ? undefined : 'authentication-digest';
    }
    if (sectionOctets !== AT.digest + digest.octets) return 'authentication-length';
    const sequence = view.getUint32(at + AT.sequence);
    if (!this.#inWindow(sequence, detectMultiplier)) return 'authentication-sequence';
    const copy = bytes.slice(start, start + length);
    placeKey(copy, HEADER_OCTETS + AT.digest, key.secret, digest.octets);
    const expected = createHash(digest.algorithm).update(copy).digest();
    copy.fill(0);
    const received = bytes.subarray(at + AT.digest, start + length);
    if (!timingSafeEqual(received, expected)) return 'authentication-digest';
    // Not before the digest has held: a forged number must not shut out the true ones.
    this.#received = sequence;
    return undefined;
  }

  #inWindow(sequence: number, detectMultiplier: number): boolean {
    if (this.#received === undefined) return true;
    const ahead = (sequence - this.#received + UINT32) % UINT32;
    return ahead >= (this.#type.meticulous ? 1 : 0) && ahead <= WINDOW * detectMultiplier;
  }
}

function placeKey(bytes: Uint8Array, at: number, secret: Uint8Array, octets: number): void {
  bytes.fill(0, at, at + octets);
  bytes.set(secret, at);
}
