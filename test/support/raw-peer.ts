// A scripted BGP peer, mostly on the simulated network: it sends exact octets and writes down what comes back, message by
// message, and as the table that a peer would have. It dials the speaker, which therefore has it as a passive peer.

import type { Transport, TransportSocket } from '../../src/bgp/session/transport.ts';
import { type AttributeValues, encodeAttributes } from '../../src/bgp/wire/attribute-set.ts';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { type Family, familyByAfiSafi, IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { Framer } from '../../src/bgp/wire/framing.ts';
import { encodeKeepalive } from '../../src/bgp/wire/header.ts';
import { BGP_PORT, MESSAGE_TYPE } from '../../src/bgp/wire/iana.ts';
import { negotiate } from '../../src/bgp/wire/negotiate.ts';
import { decodeNotification } from '../../src/bgp/wire/notification.ts';
import { decodeOpen, encodeOpen, myAsField, type OpenMessage } from '../../src/bgp/wire/open.ts';
import { encodeRouteRefresh, type RefreshSubtype } from '../../src/bgp/wire/route-refresh.ts';
import type { SessionContext } from '../../src/bgp/wire/session-context.ts';
import { UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { readUint16 } from '../../src/lib/bytes.ts';
import { parseAddress, parsePrefix, parseQuad } from '../../src/lib/ip.ts';
import { type Decoded, describeUpdate } from './decoded.ts';
import { concat, message } from './wire.ts';

export interface RawPeerOptions {
  readonly as: number;
  /** BGP Identifier; the address where that is IPv4. */
  readonly id?: string;
  readonly holdTime?: number;
  readonly families?: readonly Family[];
  /** False: no 4-octet ASes (RFC 6793's old speaker). */
  readonly as4?: boolean;
  /** ADD-PATH for all families: 1 = receive, 2 = send, 3 = both. */
  readonly addPath?: 1 | 2 | 3;
  /** More capabilities; route refresh, families and 4-octet AS are there already. */
  readonly capabilities?: readonly Capability[];
  readonly routeRefresh?: boolean;
  readonly password?: string;
}

export interface ReceivedRoute {
  readonly nextHop: string;
  readonly attributes: AttributeValues;
}

export interface UpdateSpec {
  /** `192.0.2.0/24`, or `192.0.2.0/24 #7` with a path identifier. */
  readonly announce?: readonly string[];
  readonly withdraw?: readonly string[];
  /** One address, or a global and a link-local one. */
  readonly nextHop?: string;
  readonly attributes?: Partial<AttributeValues>;
}

export class RawPeer {
  readonly address: string;
  readonly options: RawPeerOptions;
  /** A line a message or event, in order. */
  heard: string[] = [];
  /** The UPDATEs received since the last clear. */
  updates: Decoded[] = [];
  /** Octets of every message received since the last clear. */
  messages: Uint8Array[] = [];
  /** What was announced and not withdrawn: `prefix` or `prefix #id` -> route. */
  readonly table = new Map<string, ReceivedRoute>();
  context: SessionContext | undefined;
  remoteOpen: OpenMessage | undefined;
  /** Answer an OPEN with KEEPALIVE. */
  polite = true;
  readonly #host: Pick<Transport, 'connect'>;
  #socket: TransportSocket | undefined;
  #framer = new Framer();
  #decoder: UpdateDecoder | undefined;

  constructor(host: Pick<Transport, 'connect'>, address: string, options: RawPeerOptions) {
    this.#host = host;
    this.address = address;
    this.options = options;
  }

  /** Dials and sends an OPEN; the rest of the handshake happens while the clock runs. */
  connect(remote: string): void {
    this.table.clear();
    this.#framer = new Framer();
    this.#socket = this.#host.connect(
      {
        remote: { address: ip(remote), port: BGP_PORT },
        local: { address: ip(this.address), port: 0 },
        interface: undefined,
        ttl: undefined,
        minTtl: undefined,
        password: this.options.password === undefined ? undefined : revealed(this.options.password),
      },
      {
        onConnect: () => this.send(encodeOpen(this.open())),
        onData: (buffer, length) => {
          this.#framer.push(buffer, length, (bytes, start, end, type) => {
            this.#receive(bytes, start, end, type);
            return true;
          });
        },
        onEnd: () => {
          this.heard.push('FIN');
          this.#socket?.destroy();
        },
        onClose: (error) => {
          if (error !== undefined) this.heard.push(error.code);
        },
      },
    );
  }

  open(): OpenMessage {
    const { as, id, holdTime = 90, families = [IPV4_UNICAST, IPV6_UNICAST], addPath } = this.options;
    const capabilities: Capability[] = families.map(({ afi, safi }) => ({
      kind: 'multiprotocol',
      afi,
      safi,
    }));
    if (this.options.routeRefresh !== false) capabilities.push({ kind: 'route-refresh' });
    if (this.options.as4 !== false) capabilities.push({ kind: 'four-octet-as', as });
    if (addPath !== undefined) {
      capabilities.push({
        kind: 'add-path',
        entries: families.map(({ afi, safi }) => ({ afi, safi, mode: addPath })),
      });
    }
    capabilities.push(...(this.options.capabilities ?? []));
    return { myAs: myAsField(as), holdTime, id: parseQuad(id ?? this.address) ?? 1, capabilities };
  }

  /** Whole messages, or any octets. */
  send(...chunks: Uint8Array[]): void {
    this.#socket?.write(chunks, () => {});
  }

  update(spec: UpdateSpec): void {
    for (const bytes of this.encode(spec)) this.send(bytes);
  }

  announce(prefixes: readonly string[], attributes: Partial<AttributeValues> = {}, nextHop?: string): void {
    const path = this.#isInternal ? '' : String(this.options.as);
    this.update({
      announce: prefixes,
      attributes: { origin: 'IGP', asPath: path, ...(this.#isInternal && { localPref: 100 }), ...attributes },
      ...(nextHop !== undefined && { nextHop }),
    });
  }

  withdraw(...prefixes: string[]): void {
    this.update({ withdraw: prefixes });
  }

  refresh(family: Family = IPV4_UNICAST, subtype: RefreshSubtype = 0): void {
    this.send(encodeRouteRefresh(family, subtype));
  }

  endOfRib(family: Family = IPV4_UNICAST): void {
    if (family === IPV4_UNICAST) this.send(message(MESSAGE_TYPE.update, new Uint8Array(4)));
    else this.send(updateMessage([], attributeBytes(0x80, 15, familyBytes(family)), []));
  }

  /** Closes TCP without a word. */
  drop(): void {
    this.#socket?.destroy();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Forgets what was heard; the table stays. */
  clear(): void {
    this.heard = [];
    this.updates = [];
    this.messages = [];
  }

  prefixes(): string[] {
    return [...this.table.keys()].sort();
  }

  /** `prefix via next-hop`, sorted. */
  routes(): string[] {
    return [...this.table].map(([prefix, { nextHop }]) => `${prefix} via ${nextHop}`).sort();
  }

  attributes(prefix: string): AttributeValues | undefined {
    return this.table.get(prefix)?.attributes;
  }

  /** UPDATEs of one spec: withdrawals and announcements of each family apart (RFC 7606 §5.1). */
  encode({ announce = [], withdraw = [], nextHop, attributes = {} }: UpdateSpec): Uint8Array[] {
    const result: Uint8Array[] = [];
    for (const family of [IPV4_UNICAST, IPV6_UNICAST]) {
      const gone = withdraw.filter((text) => isOf(family, text));
      const here = announce.filter((text) => isOf(family, text));
      if (gone.length > 0) result.push(this.#withdrawal(family, gone));
      if (here.length > 0) result.push(this.#announcement(family, here, nextHop, attributes));
    }
    return result;
  }

  get #isInternal(): boolean {
    return this.remoteOpen !== undefined && this.context?.peerType === 'internal';
  }

  #withdrawal(family: Family, prefixes: readonly string[]): Uint8Array {
    const nlri = this.#nlri(family, prefixes);
    if (family === IPV4_UNICAST) return updateMessage(nlri, new Uint8Array(0), []);
    return updateMessage([], attributeBytes(0x80, 15, concat(familyBytes(family), nlri)), []);
  }

  #announcement(
    family: Family,
    prefixes: readonly string[],
    nextHop: string | undefined,
    attributes: Partial<AttributeValues>,
  ): Uint8Array {
    const set = encodeAttributes(attributes);
    const own = this.address.includes(':') === (family === IPV6_UNICAST) ? this.address : '2001:db8:ffff::1';
    const hop = concat(...(nextHop ?? own).split(' ').map(ip));
    const nlri = this.#nlri(family, prefixes);
    if (family === IPV4_UNICAST && hop.length === 4) {
      return updateMessage([], concat(set, attributeBytes(0x40, 3, hop)), nlri);
    }
    const value = concat(familyBytes(family), Uint8Array.of(hop.length), hop, Uint8Array.of(0), nlri);
    return updateMessage([], concat(attributeBytes(0x80, 14, value), set), []);
  }

  #nlri(family: Family, texts: readonly string[]): Uint8Array {
    const withIds = ((this.context?.addPathSend ?? 0) & (1 << family.id)) !== 0;
    const parts = texts.flatMap((text) => {
      const [prefixText = '', id = '0'] = text.split(' #');
      const prefix = parsePrefix(prefixText);
      if (prefix === undefined) throw new Error(`${text} is no prefix`);
      const octets = prefix.bytes.subarray(0, Math.ceil(prefix.length / 8));
      return [...(withIds ? [uint32(Number(id))] : []), Uint8Array.of(prefix.length), octets];
    });
    return concat(...parts);
  }

  #receive(bytes: Uint8Array, start: number, end: number, type: number): void {
    this.messages.push(bytes.slice(start, end));
    switch (type) {
      case MESSAGE_TYPE.open:
        this.#opened(decodeOpen(bytes, start, end));
        break;
      case MESSAGE_TYPE.update:
        this.#updated(bytes, start, end);
        break;
      case MESSAGE_TYPE.keepalive:
        this.heard.push('KEEPALIVE');
        break;
      case MESSAGE_TYPE.notification: {
        const { code, subcode, data } = decodeNotification(bytes, start, end);
        this.heard.push(`NOTIFICATION ${code}/${subcode} ${Buffer.from(data).toString('hex')}`.trimEnd());
        break;
      }
      case MESSAGE_TYPE.routeRefresh: {
        const family = familyByAfiSafi(readUint16(bytes, start + 19), bytes[start + 22]!);
        this.heard.push(`REFRESH ${family?.name} ${bytes[start + 21]}`);
        break;
      }
      default:
        this.heard.push(`type ${type}`);
    }
  }

  #opened(remote: OpenMessage): void {
    this.heard.push('OPEN');
    this.remoteOpen = remote;
    this.context = negotiate(this.open(), remote, { peerAs: undefined });
    this.#framer.setLimit(this.context.receiveLimit);
    // As an internal peer, so that LOCAL_PREF, ORIGINATOR_ID and confederations are seen where they should not be.
    this.#decoder = new UpdateDecoder(
      { ...this.context, peerType: 'internal' },
      { aigp: true, acceptAsSets: true, confederationPeer: true },
    );
    if (this.polite) this.send(encodeKeepalive());
  }

  #updated(bytes: Uint8Array, start: number, end: number): void {
    if (this.#decoder === undefined) throw new Error('UPDATE before OPEN');
    const decoded = describeUpdate(this.#decoder.decode(bytes, start, end));
    this.updates.push(decoded);
    if (decoded.withdraw || decoded.issues.length > 0) {
      throw new Error(`the speaker sent a malformed UPDATE: ${decoded.messages.join('; ')}`);
    }
    if (decoded.endOfRib !== undefined) this.heard.push(`EOR ${decoded.endOfRib}`);
    for (const prefix of decoded.withdrawn) {
      this.heard.push(`-${prefix}`);
      this.table.delete(prefix);
    }
    for (const prefix of decoded.announced) {
      this.heard.push(`+${prefix}`);
      this.table.set(prefix, { nextHop: decoded.nextHops[0]!, attributes: decoded.attributes });
    }
  }
}

export function ip(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address.bytes;
}

/** An attribute with a short or a long length, as its size asks for. */
export function attributeBytes(flags: number, type: number, value: Uint8Array): Uint8Array {
  const head =
    value.length > 255
      ? Uint8Array.of(flags | 0x10, type, value.length >> 8, value.length & 0xff)
      : Uint8Array.of(flags, type, value.length);
  return concat(head, value);
}

/** An UPDATE of three fields. */
export function updateMessage(
  withdrawn: Uint8Array | readonly number[],
  attributes: Uint8Array,
  nlri: Uint8Array | readonly number[],
): Uint8Array {
  const gone = Uint8Array.from(withdrawn);
  return message(
    MESSAGE_TYPE.update,
    concat(uint16(gone.length), gone, uint16(attributes.length), attributes, Uint8Array.from(nlri)),
  );
}

function familyBytes(family: Family): Uint8Array {
  return concat(uint16(family.afi), Uint8Array.of(family.safi));
}

function isOf(family: Family, text: string): boolean {
  return text.includes(':') === (family === IPV6_UNICAST);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function uint32(value: number): Uint8Array {
  return concat(uint16(value >>> 16), uint16(value & 0xffff));
}

function revealed(text: string) {
  return { reveal: () => text };
}
