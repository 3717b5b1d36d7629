// Changes of routes -> Route Monitoring messages: those of one source, attribute set and time go into one UPDATE, as far as
// they fit, with 4-octet ASes whatever the peer spoke (RFC 7854 §4.2, flag A).

import { MARKER_LENGTH, MAX_EXTENDED_LENGTH, MAX_MESSAGE_LENGTH } from '../../bgp/wire/header.ts';
import { UpdateWriter } from '../../bgp/wire/update-writer.ts';
import { ROUTE_HEADER_OCTETS, setRouteHeader } from '../../bmp/message.ts';
import { copyBytes, readUint16 } from '../../lib/bytes.ts';
import { growInt32, growUint8, growUint32 } from '../../lib/columns.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';

/** Whose routes a message tells of. */
export interface RouteSource {
  /** Unique as long as the station is connected. */
  readonly id: number;
  /** As of `routeHeader`. */
  readonly header: Uint8Array;
}

/** How the UPDATEs of a source look. */
export interface UpdateForm {
  /** Path identifiers stand before prefixes (RFC 7911). */
  readonly addPath: boolean;
  /** 4096, or 65535 where the peer may send such messages (RFC 8654). */
  readonly messageLimit: number;
}

const UNSPECIFIED = new Uint8Array(16);
const INITIAL_CHANGES = 1 << 8;

/** Changes of one table. */
export class RouteBatch {
  count = 0;
  readonly sources: RouteSource[] = [];
  readonly forms: UpdateForm[] = [];
  prefix = new Int32Array(INITIAL_CHANGES);
  pathId = new Uint32Array(INITIAL_CHANGES);
  attr = new Int32Array(INITIAL_CHANGES);
  seconds = new Uint32Array(INITIAL_CHANGES);

  /** `attr` 0 withdraws; `seconds` of wall-clock time. */
  add(
    source: RouteSource,
    form: UpdateForm,
    prefixId: number,
    pathId: number,
    attr: number,
    seconds: number,
  ): void {
    const i = this.count++;
    this.#grow(this.count);
    this.sources[i] = source;
    this.forms[i] = form;
    this.prefix[i] = prefixId;
    this.pathId[i] = pathId;
    this.attr[i] = attr;
    this.seconds[i] = seconds;
  }

  clear(): void {
    this.count = 0;
    this.sources.length = 0;
    this.forms.length = 0;
  }

  /** Places of the changes: what goes into one message lies in a row, withdrawals before announcements. */
  order(): number[] {
    const places = Array.from({ length: this.count }, (_, i) => i);
    return places.sort(
      (a, b) =>
        this.sources[a]!.id - this.sources[b]!.id ||
        this.attr[a]! - this.attr[b]! ||
        this.seconds[a]! - this.seconds[b]!,
    );
  }

  /** Whether two changes may stand in one message. */
  together(a: number, b: number): boolean {
    return (
      this.sources[a] === this.sources[b] &&
      this.attr[a] === this.attr[b] &&
      this.seconds[a] === this.seconds[b]
    );
  }

  #grow(size: number): void {
    this.prefix = growInt32(this.prefix, size);
    this.pathId = growUint32(this.pathId, size);
    this.attr = growInt32(this.attr, size);
    this.seconds = growUint32(this.seconds, size);
  }
}

/** Makes the messages of one table. */
export class RouteMessages {
  readonly #rib: FamilyRib;
  readonly #writers = new Map<string, UpdateWriter>();
  #out = new Uint8Array(1 << 12);
  #length = 0;

  constructor(rib: FamilyRib) {
    this.#rib = rib;
  }

  /** The messages of a batch, which may be cleared afterwards. */
  encode(batch: RouteBatch): Uint8Array {
    const places = batch.order();
    for (let start = 0; start < places.length; ) {
      let end = start + 1;
      while (end < places.length && batch.together(places[start]!, places[end]!)) end++;
      this.#encodeRun(batch, places.slice(start, end));
      start = end;
    }
    return this.#detach();
  }

  /** RFC 7854 §5, RFC 4724 §2 */
  endOfRib(source: RouteSource, form: UpdateForm, seconds: number): Uint8Array {
    const writer = this.#writer(form, MAX_MESSAGE_LENGTH);
    writer.endOfRib();
    this.#wrap(writer, source, seconds);
    return this.#detach();
  }

  /** Changes of one source, set and time. */
  #encodeRun(batch: RouteBatch, places: readonly number[]): void {
    const first = places[0]!;
    const source = batch.sources[first]!;
    const form = batch.forms[first]!;
    const seconds = batch.seconds[first]!;
    const attr = batch.attr[first]!;
    const tooLong = this.#write(batch, places, attr, this.#writer(form, form.messageLimit));
    this.#wrap(this.#writer(form, form.messageLimit), source, seconds);
    if (tooLong.length === 0) return;
    // With 4-octet ASes a set may be longer than it came.
    const large = this.#writer(form, MAX_EXTENDED_LENGTH);
    this.#write(batch, tooLong, attr, large);
    this.#wrap(large, source, seconds);
  }

  /** Returns the places that did not fit into any message. */
  #write(batch: RouteBatch, places: readonly number[], attr: number, writer: UpdateWriter): number[] {
    const { prefixes, shared, family } = this.#rib;
    const { attrs, nextHops } = shared;
    if (attr === 0) writer.startWithdraw();
    else {
      const { wire } = nextHops.get(attrs.nextHop[attr]!);
      // A filter may have given a route of IPv6 a next hop that its family cannot say.
      const nextHop = wire.length < family.nextHopBytes ? UNSPECIFIED : wire;
      writer.startAnnounce(attrs, attrs.offset(attr), attrs.length(attr), nextHop, nextHop.length);
    }
    const tooLong = places.filter((place) => {
      const prefixId = batch.prefix[place]!;
      const at = prefixes.wordsAt(prefixId);
      return !writer.addPrefix(prefixes.records, at, prefixes.bits(prefixId), batch.pathId[place]!);
    });
    writer.finish();
    return tooLong;
  }

  #writer({ addPath }: UpdateForm, messageLimit: number): UpdateWriter {
    const key = `${messageLimit}${addPath ? ' with path ids' : ''}`;
    const known = this.#writers.get(key);
    if (known !== undefined) return known;
    const { family } = this.#rib;
    const writer = new UpdateWriter({ family, as4: true, addPath, messageLimit, extendedNextHop: true });
    this.#writers.set(key, writer);
    return writer;
  }

  /** Moves the UPDATEs of a writer to the messages that are being made. */
  #wrap(writer: UpdateWriter, { header }: RouteSource, seconds: number): void {
    const { bytes, length } = writer;
    for (let at = 0; at < length; ) {
      const size = readUint16(bytes, at + MARKER_LENGTH);
      this.#out = growUint8(this.#out, this.#length + ROUTE_HEADER_OCTETS + size);
      this.#out.set(header, this.#length);
      setRouteHeader(this.#out, this.#length, size, seconds);
      this.#length = copyBytes(this.#out, this.#length + ROUTE_HEADER_OCTETS, bytes, at, at + size);
      at += size;
    }
    writer.reset();
  }

  #detach(): Uint8Array {
    const octets = this.#out.slice(0, this.#length);
    this.#length = 0;
    return octets;
  }
}
