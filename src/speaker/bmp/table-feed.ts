// One table on its way to one station: prefixes whose routes have changed wait once each, however often they change (RFC 7854
// §5, state compression), and what each view of them has is compared with what the station was told. A walk over all prefixes
// makes the first dump. Nothing is computed before the station takes it.

import type { Family } from '../../bgp/wire/families.ts';
import type { BmpView } from '../../config/bmp.ts';
import { growUint8, IntQueue } from '../../lib/columns.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { ResumableWork } from '../../rib/row-walk.ts';
import { RouteBatch, RouteMessages, type RouteSource, type UpdateForm } from './route-messages.ts';
import { ToldRoutes } from './told-routes.ts';

/** Somebody whose routes of the table the station is told: a peer, or the Loc-RIB as a whole. */
export interface TableSource {
  readonly id: number;
  /** Id of the RIB's peer; undefined for the Loc-RIB. */
  readonly peerId: number | undefined;
  readonly form: UpdateForm;
  /** By view. */
  readonly sources: ReadonlyMap<BmpView, RouteSource>;
  /** It had routes before it was added: they are found by a walk. */
  needsWalk: boolean;
  /** Its End-of-RIB is the peer's, which has yet to come. */
  waits: boolean;
  /** The peer's has come: all that came before it goes first. */
  followsPeer: boolean;
}

/** What a view of a prefix has: parallel lists. */
interface Found {
  count: number;
  readonly source: TableSource[];
  readonly pathId: number[];
  readonly attr: number[];
  readonly seconds: number[];
}

interface ViewFeed {
  readonly view: BmpView;
  readonly told: ToldRoutes;
  readonly batch: RouteBatch;
}

/** Prefixes that are looked at in a row, ids that a walk passes over in place of one, and routes after which it is enough. */
const STEP = 128;
const PASSES_PER_PREFIX = 64;
const MOST_CHANGES = 4096;

export class TableFeed {
  readonly #rib: FamilyRib;
  readonly #views: readonly ViewFeed[];
  readonly #nowSeconds: () => number;
  readonly #wake: () => void;
  readonly #dirty = new IntQueue();
  #isDirty = new Uint8Array(1 << 8);
  /** The next prefix of the walk; 0 = none is under way. */
  #cursor = 0;
  /** Ids that the walk may yet pass over in this step. */
  #passes = 0;
  #walkAgain = false;
  /** Sources that the walk under way is for. */
  #walking: TableSource[] = [];
  readonly #byPeer: (TableSource | undefined)[] = [];
  #locRib: TableSource | undefined;
  readonly #byId = new Map<number, TableSource>();
  /** Sources whose End-of-RIB is not sent. */
  readonly #unfinished = new Set<TableSource>();
  readonly #messages: RouteMessages;
  readonly #found: Found = { count: 0, source: [], pathId: [], attr: [], seconds: [] };

  constructor(
    rib: FamilyRib,
    views: readonly BmpView[],
    tools: { readonly nowSeconds: () => number; readonly wake: () => void },
  ) {
    this.#rib = rib;
    this.#nowSeconds = tools.nowSeconds;
    this.#wake = tools.wake;
    const { attrs } = rib.shared;
    this.#views = views.map((view) => {
      return { view, told: new ToldRoutes(attrs, rib.prefixes), batch: new RouteBatch() };
    });
    this.#messages = new RouteMessages(rib);
  }

  get family(): Family {
    return this.#rib.family;
  }

  /** Prefixes that wait. */
  get waiting(): number {
    return this.#dirty.size;
  }

  add(source: TableSource): void {
    this.#byId.set(source.id, source);
    if (source.peerId === undefined) this.#locRib = source;
    else this.#byPeer[source.peerId] = source;
    this.#unfinished.add(source);
    if (source.needsWalk) {
      if (this.#cursor === 0) this.#startWalk();
      else this.#walkAgain = true;
    }
    this.#wake();
  }

  /** The station forgets its routes by itself. */
  remove(source: TableSource): void {
    this.#byId.delete(source.id);
    this.#unfinished.delete(source);
    if (source.peerId !== undefined && this.#byPeer[source.peerId] === source) {
      this.#byPeer[source.peerId] = undefined;
    }
  }

  /** The peer has sent all that it has of the family. */
  endOfRib(source: TableSource): void {
    if (!source.waits) return;
    source.waits = false;
    source.followsPeer = true;
    this.#wake();
  }

  /** A value: the routes of a prefix have changed. */
  readonly mark = (prefixId: number): void => {
    if (this.#isDirty[prefixId] === 1) return;
    this.#isDirty = growUint8(this.#isDirty, prefixId + 1);
    this.#isDirty[prefixId] = 1;
    this.#dirty.push(prefixId);
    this.#rib.prefixes.hold(prefixId);
    this.#wake();
  };

  /** Sends a part of what waits; false where nothing is left. */
  step(send: (messages: Uint8Array) => void): boolean {
    const queued: number[] = [];
    let changes = 0;
    this.#passes = STEP * PASSES_PER_PREFIX;
    for (let i = 0; i < STEP && changes < MOST_CHANGES; i++) {
      const waiting = this.#dirty.shift();
      const prefixId = waiting < 0 ? this.#walkOn() : waiting;
      if (prefixId === undefined) break;
      if (waiting >= 0) {
        this.#isDirty[waiting] = 0;
        queued.push(waiting);
      }
      for (const feed of this.#views) {
        this.#compare(feed, prefixId);
        changes += this.#found.count;
      }
    }
    for (const { batch } of this.#views) {
      if (batch.count > 0) send(this.#messages.encode(batch));
      batch.clear();
    }
    for (const prefixId of queued) this.#rib.prefixes.release(prefixId);
    this.#endWalk();
    for (const source of this.#unfinished) if (this.#isComplete(source)) this.#finish(source, send);
    return this.#dirty.size > 0 || this.#cursor > 0;
  }

  /** Gives back what it holds, when nobody calls it any more. */
  emptyInSlices(): ResumableWork {
    const works = this.#views.map(({ told }) => told.emptyInSlices());
    return {
      run: (expired) => {
        for (let id = this.#dirty.shift(); id >= 0; id = this.#dirty.shift()) this.#rib.prefixes.release(id);
        return works.some((work) => work.run(expired));
      },
    };
  }

  #startWalk(): void {
    this.#cursor = 1;
    this.#walkAgain = false;
    this.#walking = [...this.#unfinished].filter(({ needsWalk }) => needsWalk);
  }

  /** The next prefix of a walk under way; undefined where there is none, or not in this step. */
  #walkOn(): number | undefined {
    if (this.#cursor === 0) return undefined;
    const { prefixes, paths } = this.#rib;
    while (this.#cursor < prefixes.limit && this.#passes-- > 0) {
      const prefixId = this.#cursor++;
      if (prefixes.inUse(prefixId) && paths.first(prefixId) !== 0) return prefixId;
    }
    return undefined;
  }

  #endWalk(): void {
    if (this.#cursor === 0 || this.#cursor < this.#rib.prefixes.limit) return;
    this.#cursor = 0;
    for (const source of this.#walking) source.needsWalk = false;
    this.#walking = [];
    if (this.#walkAgain) this.#startWalk();
  }

  #isComplete({ needsWalk, waits, followsPeer }: TableSource): boolean {
    if (needsWalk || waits) return false;
    return !followsPeer || (this.#dirty.size === 0 && this.#rib.locRib.dirtyCount === 0);
  }

  #finish(source: TableSource, send: (messages: Uint8Array) => void): void {
    this.#unfinished.delete(source);
    for (const each of source.sources.values()) {
      send(this.#messages.endOfRib(each, source.form, this.#nowSeconds()));
    }
  }

  /** What of a prefix is not as the station was told goes into the batch. */
  #compare(feed: ViewFeed, prefixId: number): void {
    const { view, told, batch } = feed;
    const found = this.#found;
    found.count = 0;
    if (view === 'loc-rib') this.#findBest(prefixId);
    else this.#findReceived(view, prefixId);
    for (let i = 0; i < found.count; i++) {
      const source = found.source[i]!;
      const pathId = found.pathId[i]!;
      const attr = found.attr[i]!;
      const known = told.find(prefixId, source.id, pathId);
      if (known !== 0 && told.attr(known) === attr) continue;
      if (known === 0) told.add(prefixId, source.id, pathId, attr);
      else told.replace(known, attr);
      batch.add(source.sources.get(view)!, source.form, prefixId, pathId, attr, found.seconds[i]!);
    }
    this.#withdrawOthers(feed, prefixId);
  }

  /** Of a source that is gone the station has forgotten all. */
  #withdrawOthers({ view, told, batch }: ViewFeed, prefixId: number): void {
    let next = 0;
    for (let record = told.first(prefixId); record !== 0; record = next) {
      next = told.next(record);
      const source = this.#byId.get(told.source(record));
      const pathId = told.pathId(record);
      if (source !== undefined && this.#isFound(source, pathId)) continue;
      told.remove(prefixId, record);
      const route = source?.sources.get(view);
      if (source === undefined || route === undefined) continue;
      batch.add(route, source.form, prefixId, pathId, 0, this.#nowSeconds());
    }
  }

  #isFound(source: TableSource, pathId: number): boolean {
    const found = this.#found;
    for (let i = 0; i < found.count; i++) {
      if (found.source[i] === source && found.pathId[i] === pathId) return true;
    }
    return false;
  }

  #findReceived(view: BmpView, prefixId: number): void {
    const { paths } = this.#rib;
    for (let row = paths.first(prefixId); row !== 0; row = paths.next(row)) {
      const source = this.#byPeer[paths.peerId(row)];
      // What a pipe has brought is its peer's in another table.
      if (source === undefined || !source.sources.has(view) || paths.feed(row) !== 0) continue;
      const attr = view === 'pre-policy' ? paths.attrIn(row) : paths.attrPost(row);
      if (attr !== 0) this.#note(source, paths.pathId(row), attr, paths.since(row));
    }
  }

  #findBest(prefixId: number): void {
    const { locRib, paths } = this.#rib;
    const attr = locRib.bestAttr(prefixId);
    if (this.#locRib === undefined || attr === 0) return;
    this.#note(this.#locRib, 0, attr, paths.since(locRib.bestRow(prefixId)));
  }

  #note(source: TableSource, pathId: number, attr: number, seconds: number): void {
    const found = this.#found;
    const i = found.count++;
    found.source[i] = source;
    found.pathId[i] = pathId;
    found.attr[i] = attr;
    found.seconds[i] = seconds;
  }
}
