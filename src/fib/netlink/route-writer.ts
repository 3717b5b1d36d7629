// The socket for writing: route operations in batches, and the next-hop objects that they name. Synchronous: the kernel
// does its work within `send`, and its answers wait when that returns.

import { viewOf } from '../../lib/bytes.ts';
import { ERRNO, errnoName } from '../errno.ts';
import type { KernelTarget, RouteBatch, RouteFailure } from '../types.ts';
import { NLM_F, NLMSG, RTM } from './constants.ts';
import { decodeAnswer, forEachMessage } from './messages.ts';
import { decodeNextHop, type NextHopObject } from './next-hop-codec.ts';
import { type NextHopAnswer, NextHopObjects } from './next-hop-objects.ts';
import { type EncodedTarget, encodeOperation, operationBytes } from './route-encode.ts';
import { MSG_DONTWAIT, NetlinkError, type NetlinkSocket, RECEIVE_BYTES } from './socket.ts';
import { TargetEncodings } from './target-encodings.ts';

/** Operations and octets of one send: more gains nothing, and the kernel wants them in one piece of memory. */
const MESSAGES_PER_SEND = 1000;
export const BYTES_PER_SEND = 128 * 1024;
/** Room for one operation of any size: 256 next hops of 36 octets and some. */
const LARGEST_OPERATION_BYTES = 16 * 1024;

export class RouteWriter {
  readonly nextHops = new NextHopObjects((encode) => this.#ask(encode));
  readonly #socket: NetlinkSocket;
  readonly #targets = new TargetEncodings(this.nextHops);
  readonly #sendBuffer = new Uint8Array(BYTES_PER_SEND + LARGEST_OPERATION_BYTES);
  readonly #sendView = viewOf(this.#sendBuffer);
  /** Of the operations in the send buffer. */
  readonly #sent: EncodedTarget[] = [];
  readonly #receiveBuffer = new Uint8Array(RECEIVE_BYTES);
  readonly #receiveView = viewOf(this.#receiveBuffer);
  #seq = 1;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  defineTarget(id: number, target: KernelTarget): void {
    this.#targets.define(id, target);
  }

  /** Applies operations in order; returns what failed. */
  apply(batch: RouteBatch): RouteFailure[] {
    const failures: RouteFailure[] = [];
    for (let index = 0; index < batch.count; ) index = this.#sendSome(batch, index, batch.count, failures);
    return failures;
  }

  /** Sends as many operations of [first, end) as fit, waits for their answers, and returns the next index. */
  #sendSome(batch: RouteBatch, first: number, end: number, failures: RouteFailure[]): number {
    const stride = batch.addressBytes / 4;
    const seq = this.#takeSeqs(MESSAGES_PER_SEND);
    let index = first;
    let length = 0;
    while (index < end && index - first < MESSAGES_PER_SEND && length < BYTES_PER_SEND) {
      const kind = batch.kinds[index]!;
      const target = this.#targets.take(batch.targets[index]!, kind, batch.addressBytes);
      this.#sent[index - first] = target;
      const next = length + operationBytes(target, kind, batch.addressBytes);
      const isLast = index + 1 === end || index + 1 - first === MESSAGES_PER_SEND || next >= BYTES_PER_SEND;
      length = encodeOperation(
        this.#sendBuffer,
        this.#sendView,
        length,
        target,
        kind,
        batch.addressBytes,
        batch.words,
        index * stride,
        batch.bits[index]!,
        (seq + index - first) >>> 0,
        // Failures are always answered; one acknowledgement at the end says that all others went well.
        isLast ? NLM_F.ack : 0,
      );
      index++;
    }
    try {
      this.#socket.send(this.#sendBuffer, length);
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      failRange(first, index, error.errno, failures);
      return index;
    }
    const before = failures.length;
    this.#readAnswers(seq, first, index, failures);
    if (failures.length > before) this.#withoutObjects(batch, first, index, failures, before);
    return index;
  }

  /** Where an object is gone, the kernel refuses all routes that name it: they are written once more without it. */
  #withoutObjects(
    batch: RouteBatch,
    first: number,
    end: number,
    failures: RouteFailure[],
    from: number,
  ): void {
    const sent = this.#sent.slice(0, end - first);
    for (const one of failures.splice(from)) {
      const { index, errno } = one;
      const again =
        errno !== ERRNO.EEXIST &&
        errno !== ERRNO.ENOBUFS &&
        this.#targets.refused(batch.targets[index]!, batch.addressBytes, sent[index - first]!) &&
        !isFollowed(batch, index, end);
      if (again) this.#sendSome(batch, index, index + 1, failures);
      else failures.push(one);
    }
  }

  #ask(encode: (seq: number) => Uint8Array): NextHopAnswer {
    const seq = this.#takeSeqs(1);
    const request = encode(seq);
    const objects: NextHopObject[] = [];
    const bytes = this.#receiveBuffer;
    const view = this.#receiveView;
    let errno: number | undefined;
    try {
      this.#socket.send(request, request.length);
    } catch (error) {
      if (error instanceof NetlinkError) return { errno: error.errno, objects };
      throw error;
    }
    while (errno === undefined) {
      const length = this.#socket.receive(bytes, 0);
      if (length < 0) return { errno: -length, objects };
      forEachMessage(view, length, (message) => {
        if (message.seq !== seq) return;
        if (message.type === NLMSG.done || message.type === NLMSG.error) {
          errno = decodeAnswer(bytes, view, message).errno;
        } else if (message.type === RTM.newNextHop) {
          const object = decodeNextHop(bytes, view, message.start, message.end);
          if (object !== undefined) objects.push(object);
        }
      });
    }
    return { errno, objects };
  }

  #takeSeqs(count: number): number {
    const seq = this.#seq;
    this.#seq = (seq + count) >>> 0;
    return seq;
  }

  #readAnswers(seq: number, first: number, end: number, failures: RouteFailure[]): void {
    const count = end - first;
    const before = failures.length;
    for (let done = false; !done; ) {
      const length = this.#socket.receive(this.#receiveBuffer, 0);
      if (length < 0) {
        // Answers were lost: nobody knows which operations went well, so none counts as done.
        failures.length = before;
        failRange(first, end, ERRNO.ENOBUFS, failures);
        this.#drainAnswers();
        return;
      }
      forEachMessage(this.#receiveView, length, (message) => {
        if (message.type !== NLMSG.error) return;
        const offset = (message.seq - seq) >>> 0;
        if (offset >= count) return;
        const { errno, text } = decodeAnswer(this.#receiveBuffer, this.#receiveView, message);
        if (errno !== 0) failures.push(failure(first + offset, errno, text));
        if (offset === count - 1) done = true;
      });
    }
  }

  #drainAnswers(): void {
    for (let length = 0; length >= 0 || length === -ERRNO.ENOBUFS; ) {
      length = this.#socket.receive(this.#receiveBuffer, MSG_DONTWAIT);
    }
  }
}

/** A later operation of [.., end) is for the same prefix. */
function isFollowed({ addressBytes, words, bits }: RouteBatch, index: number, end: number): boolean {
  const stride = addressBytes / 4;
  const same = (other: number) => {
    for (let i = 0; i < stride; i++) {
      if (words[index * stride + i] !== words[other * stride + i]) return false;
    }
    return bits[index] === bits[other];
  };
  for (let other = index + 1; other < end; other++) if (same(other)) return true;
  return false;
}

function failRange(first: number, end: number, errno: number, failures: RouteFailure[]): void {
  for (let index = first; index < end; index++) failures.push(failure(index, errno, undefined));
}

function failure(index: number, errno: number, text: string | undefined): RouteFailure {
  return { index, errno, name: errnoName(errno), ...(text === undefined ? {} : { text }) };
}
