// A network for BFD on a simulated clock: hosts by address, packets that take a while, and a wire that can be cut. What
// goes over it is decoded into `log`.

import { LocalBfdService } from '../../src/bfd/local-service.ts';
import { type ControlPacket, decodePacket, emptyPacket } from '../../src/bfd/packet.ts';
import type { BfdEvents, SessionReport } from '../../src/bfd/service.ts';
import type { SessionOptions } from '../../src/bfd/session.ts';
import { type BfdTransport, BfdTransportError, type Datagram } from '../../src/bfd/transport.ts';
import { parseAddress } from '../../src/lib/ip.ts';
import type { SimClock } from '../../src/sim/clock.ts';
import { seededRandom } from '../../src/sim/random.ts';

export const MS = 1000;

export function ip(text: string): Uint8Array {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed.bytes;
}

export function sessionOptions(changes: Partial<SessionOptions> = {}): SessionOptions {
  return {
    desiredMinTx: 100 * MS,
    requiredMinRx: 100 * MS,
    idleTx: 1000 * MS,
    detectMultiplier: 3,
    passive: false,
    authentication: undefined,
    ...changes,
  };
}

export interface Sent extends ControlPacket {
  readonly from: string;
  readonly at: number;
  readonly multihop: boolean;
  readonly bytes: Uint8Array;
}

export class BfdNetwork {
  readonly clock: SimClock;
  readonly log: Sent[] = [];
  /** Milliseconds on the way. */
  latencyMs = 1;
  /** Links as their machine calls them. */
  interfaceName: (ifindex: number) => string = (ifindex) => `eth${ifindex}`;
  /** Packets for which this is true are lost. */
  loses: (sent: Sent) => boolean = () => false;
  readonly #hosts = new Map<string, BfdHost>();

  constructor(clock: SimClock) {
    this.clock = clock;
  }

  host(address: string, seed = 1): BfdHost {
    const host = new BfdHost(this, address, seed);
    this.#hosts.set(address, host);
    return host;
  }

  /** What `from` has sent since a moment. */
  sentBy(from: string, since = 0): Sent[] {
    return this.log.filter((sent) => sent.from === from && sent.at >= since);
  }

  carry(host: BfdHost, to: string, bytes: Uint8Array, multihop: boolean): void {
    const from = host.address;
    // Another machine has taken its place.
    if (this.#hosts.get(from) !== host) return;
    const copy = bytes.slice();
    const view = new DataView(copy.buffer);
    const packet = emptyPacket();
    const wrong = decodePacket(view, 0, copy.length, packet);
    if (wrong !== undefined) throw new Error(`${from} sent a packet that is discarded: ${wrong}`);
    const sent = { ...packet, from, at: this.clock.now(), multihop, bytes: copy };
    this.log.push(sent);
    if (this.loses(sent)) return;
    this.clock.setTimer(this.latencyMs, () => {
      const datagram = { bytes: copy, view, start: 0, end: copy.length, multihop, ifindex: 2 };
      this.#hosts.get(to)?.receive({ ...datagram, remote: ip(from), local: ip(to) });
    });
  }
}

export class BfdHost {
  readonly address: string;
  readonly service: LocalBfdService;
  readonly reports: SessionReport[] = [];
  /** Opening a session fails with this sentence. */
  refuses: string | undefined;
  events: BfdEvents | undefined;
  #receive: (datagram: Datagram) => void = () => {};

  constructor(network: BfdNetwork, address: string, seed: number) {
    this.address = address;
    this.service = new LocalBfdService({
      clock: network.clock,
      random: seededRandom(seed),
      transport: (receive) => {
        this.#receive = receive;
        return this.#transport(network);
      },
      events: {
        onReport: (report, at) => {
          this.reports.push(report);
          this.events?.onReport(report, at);
        },
        onFailure: () => {},
      },
    });
  }

  receive(datagram: Datagram): void {
    this.#receive(datagram);
  }

  add(id: number, remote: string, options: Partial<SessionOptions> = {}, multihop = false): void {
    const path = { remote: ip(remote), local: undefined, interface: undefined, multihop };
    this.service.add(id, { ...sessionOptions(options), path });
  }

  last(id = 1): SessionReport {
    const report = this.reports.filter((each) => each.id === id).at(-1);
    if (report === undefined) throw new Error(`nothing was reported of session ${id}`);
    return report;
  }

  states(id = 1): string[] {
    const states = this.reports.filter((report) => report.id === id).map(({ state }) => state);
    return states.filter((state, i) => state !== states[i - 1]);
  }

  #transport(network: BfdNetwork): BfdTransport {
    return {
      open: ({ remote, multihop, interface: name }) => {
        if (this.refuses !== undefined) throw new BfdTransportError(this.refuses);
        const to = [...remote].join('.');
        return {
          ifindex: name === undefined ? undefined : Number(name.slice('eth'.length)),
          send: (bytes, length) => {
            network.carry(this, to, bytes.subarray(0, length), multihop);
            return undefined;
          },
          close: () => {},
        };
      },
      interfaceName: network.interfaceName,
    };
  }
}
