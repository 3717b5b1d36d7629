// A kernel in memory with Linux' semantics as far as godwit meets them: keys of prefix, table and metric, gateways that
// must be on a link, silent loss of IPv4 routes when a link goes down, notifications of what others do. The simulator
// and the tests run on it, and so does a demonstration where nothing may touch the real kernel. It answers within the
// call; faults are put in from outside.

import { formatPrefix, isLinkLocal, maskBytes, type Prefix, prefixContains } from '../lib/ip.ts';
import { toBytes, toWords } from '../lib/prefix-trie.ts';
import { ERRNO, errnoName } from './errno.ts';
import { RT_SCOPE, RTPROT_KERNEL, storedMetric } from './netlink/constants.ts';
import { usualScope } from './route-particulars.ts';
import {
  type Kernel,
  type KernelAddress,
  type KernelEvents,
  type KernelLink,
  type KernelNextHop,
  type KernelRoute,
  type KernelTarget,
  ROUTE_OPERATION,
  ROW_CHANGE,
  type RouteBatch,
  type RouteFailure,
  type RouteRows,
} from './types.ts';

const MAIN_TABLE = 254;
const SCAN_ROWS = 256;
const GLOBAL_SCOPE = 0;

export interface MemKernelOperation {
  readonly kind: 'create' | 'replace' | 'delete';
  readonly route: KernelRoute;
}

interface User {
  readonly targets: Map<number, KernelTarget>;
  events: KernelEvents | undefined;
}

export class MemKernel implements Kernel {
  /** Asked before each write: an errno lets it fail, 0 lets it pass. */
  fault: (operation: MemKernelOperation) => number = () => 0;
  /** While true, notifications are lost, as after ENOBUFS; `overrun` tells so. */
  deaf = false;
  /** While true, notifications and scan rows wait for `release`. */
  held = false;
  /** Operations applied, for tests that count. */
  readonly log: MemKernelOperation[] = [];
  readonly #routes = new Map<string, KernelRoute[]>();
  readonly #links = new Map<number, KernelLink>();
  #addresses: KernelAddress[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #self: User = { targets: new Map(), events: undefined };
  readonly #users: User[] = [this.#self];

  // The Kernel interface. The machine itself serves one user; further ones take a session each.

  /** Another user of the same machine, with targets and notifications of its own: it is told what others write. */
  session(): Kernel {
    const user: User = { targets: new Map(), events: undefined };
    this.#users.push(user);
    return {
      defineTarget: (id, target) => void user.targets.set(id, target),
      apply: (batch) => this.#apply(user, batch),
      scanRoutes: (addressBytes, onRows) => this.scanRoutes(addressBytes, onRows),
      dumpLinks: () => this.dumpLinks(),
      dumpAddresses: () => this.dumpAddresses(),
      watch: async (events) => {
        user.events = events;
      },
      close: async () => {
        user.events = undefined;
      },
    };
  }

  defineTarget(id: number, target: KernelTarget): void {
    this.#self.targets.set(id, target);
  }

  apply(batch: RouteBatch): Promise<RouteFailure[]> {
    return this.#apply(this.#self, batch);
  }

  async scanRoutes(addressBytes: 4 | 16, onRows: (rows: RouteRows) => void): Promise<{ complete: boolean }> {
    const routes = this.routes().filter((route) => route.prefix.bytes.length === addressBytes);
    for (let at = 0; at < routes.length; at += SCAN_ROWS) {
      const rows = toRows(addressBytes, routes.slice(at, at + SCAN_ROWS), ROW_CHANGE.present);
      await this.#deliver(() => onRows(rows));
    }
    return { complete: true };
  }

  async dumpLinks(): Promise<KernelLink[]> {
    return [...this.#links.values()];
  }

  async dumpAddresses(): Promise<KernelAddress[]> {
    return [...this.#addresses];
  }

  async watch(events: KernelEvents): Promise<void> {
    this.#self.events = events;
  }

  async close(): Promise<void> {
    this.#self.events = undefined;
  }

  // What others do to the machine.

  routes(): KernelRoute[] {
    return [...this.#routes.values()].flat();
  }

  /** Routes of one prefix, for assertions. */
  find(prefix: Prefix): KernelRoute[] {
    return this.routes().filter((route) => formatPrefix(route.prefix) === formatPrefix(prefix));
  }

  setLink(link: KernelLink): void {
    const before = this.#links.get(link.ifindex);
    this.#links.set(link.ifindex, link);
    this.#notify((events) => events.onLink('add', link));
    if (before?.up === true && !link.up) this.#flushLink(link.ifindex);
    if (before?.up === false && link.up) for (const address of this.#addresses) this.#addConnected(address);
  }

  removeLink(ifindex: number): void {
    const link = this.#links.get(ifindex);
    if (link === undefined) return;
    this.#links.delete(ifindex);
    this.#flushLink(ifindex);
    for (const address of this.#addresses.filter((known) => known.ifindex === ifindex)) {
      this.removeAddress(address);
    }
    this.#notify((events) => events.onLink('delete', link));
  }

  /** Also adds the connected route. */
  addAddress(address: Omit<KernelAddress, 'scope'> & { scope?: number }): void {
    const complete = { scope: GLOBAL_SCOPE, ...address };
    this.#addresses.push(complete);
    this.#notify((events) => events.onAddress('add', complete));
    this.#addConnected(complete);
  }

  removeAddress(address: KernelAddress): void {
    this.#addresses = this.#addresses.filter((known) => Buffer.compare(known.address, address.address) !== 0);
    this.#notify((events) => events.onAddress('delete', address));
    this.deleteRoute(connectedRoute(address));
  }

  /** `ip route replace`: takes the place of whatever has the same prefix, table and metric. */
  addRoute(route: KernelRoute): void {
    const replaced = (this.#routes.get(keyOf(route))?.length ?? 0) > 0;
    this.#routes.set(keyOf(route), [route]);
    this.#tellRoute(route, replaced ? ROW_CHANGE.replaced : ROW_CHANGE.added);
  }

  /** `ip route del`; returns false where there is none. */
  deleteRoute(route: Pick<KernelRoute, 'prefix' | 'table' | 'metric'>, silently = false): boolean {
    const routes = this.#routes.get(keyOf(route)) ?? [];
    this.#routes.delete(keyOf(route));
    if (!silently) for (const gone of routes) this.#tellRoute(gone, ROW_CHANGE.deleted);
    return routes.length > 0;
  }

  /** The listener was too slow: notifications are gone, and it is told so. */
  overrun(): void {
    this.deaf = false;
    this.#notify((events) => events.onOverrun());
  }

  /** A next-hop object is gone, and routes with it that were deleted silently. */
  routesLost(): void {
    this.#notify((events) => events.onRoutesLost());
  }

  /** Lets what was held go, in order. */
  release(): void {
    this.held = false;
    for (const deliver of this.#waiting.splice(0)) deliver();
  }

  async #apply(user: User, batch: RouteBatch): Promise<RouteFailure[]> {
    const failures: RouteFailure[] = [];
    const stride = batch.addressBytes / 4;
    for (let index = 0; index < batch.count; index++) {
      const target = user.targets.get(batch.targets[index]!);
      if (target === undefined) throw new Error(`kernel target ${batch.targets[index]} was never defined`);
      const prefix = { bytes: toBytes(batch.words, index * stride, stride), length: batch.bits[index]! };
      const metric = storedMetric(batch.addressBytes, target.metric);
      const route: KernelRoute = { ...asShown(target, batch.addressBytes), metric, prefix };
      const errno = this.#write(user, batch.kinds[index]!, route);
      if (errno !== 0) failures.push({ index, errno, name: errnoName(errno) });
    }
    return failures;
  }

  #write(user: User, kind: number, route: KernelRoute): number {
    const name =
      kind === ROUTE_OPERATION.create ? 'create' : kind === ROUTE_OPERATION.replace ? 'replace' : 'delete';
    const fault = this.fault({ kind: name, route });
    if (fault !== 0) return fault;
    const replaced = this.#routes.has(keyOf(route));
    const errno = name === 'delete' ? this.#erase(route) : this.#insert(route, name === 'create');
    if (errno !== 0) return errno;
    this.log.push({ kind: name, route });
    const change = name === 'delete' ? 'deleted' : replaced ? 'replaced' : 'added';
    this.#tellRoute(route, ROW_CHANGE[change], user);
    return 0;
  }

  #insert(route: KernelRoute, exclusive: boolean): number {
    const nextHops: KernelNextHop[] = [];
    for (const hop of route.nextHops) {
      const found = this.#egress(hop);
      if (typeof found === 'number') return found;
      nextHops.push(found);
    }
    const there = this.#routes.get(keyOf(route)) ?? [];
    if (exclusive && there.length > 0) return ERRNO.EEXIST;
    this.#routes.set(keyOf(route), [{ ...route, nextHops }]);
    return 0;
  }

  #erase(route: KernelRoute): number {
    const there = this.#routes.get(keyOf(route)) ?? [];
    const left = there.filter(({ protocol }) => protocol !== route.protocol);
    if (left.length === there.length) return ERRNO.ESRCH;
    if (left.length === 0) this.#routes.delete(keyOf(route));
    else this.#routes.set(keyOf(route), left);
    return 0;
  }

  /** The next hop with its interface filled in, or the errno that Linux answers. */
  #egress(hop: KernelNextHop): KernelNextHop | number {
    const link = hop.ifindex === undefined ? undefined : this.#links.get(hop.ifindex);
    if (hop.ifindex !== undefined) {
      if (link === undefined) return ERRNO.ENODEV;
      if (!link.up) return ERRNO.ENETDOWN;
    }
    const { gateway } = hop;
    if (gateway === undefined || hop.onlink === true) return hop;
    if (isLinkLocal(gateway)) return link === undefined ? ERRNO.EINVAL : hop;
    const ifindex = this.#addresses.find(
      (own) =>
        prefixContains(connectedRoute(own).prefix, gateway) &&
        this.#links.get(own.ifindex)?.up === true &&
        (link === undefined || own.ifindex === link.ifindex),
    )?.ifindex;
    return ifindex === undefined ? ERRNO.ENETUNREACH : { ...hop, ifindex };
  }

  #addConnected(address: KernelAddress): void {
    if (this.#links.get(address.ifindex)?.up !== true) return;
    const route = connectedRoute(address);
    if (!this.#routes.has(keyOf(route))) this.addRoute(route);
  }

  /** fib_sync_down_dev: IPv4 routes over the interface go without a word, IPv6 ones with one. */
  #flushLink(ifindex: number): void {
    for (const route of this.routes()) {
      if (!route.nextHops.some((hop) => hop.ifindex === ifindex)) continue;
      const left = route.nextHops.filter((hop) => hop.ifindex !== ifindex);
      const silently = route.prefix.bytes.length === 4;
      if (left.length === 0) this.deleteRoute(route, silently);
    }
  }

  #tellRoute(route: KernelRoute, change: number, except?: User): void {
    if (this.#users.every((user) => user === except || user.events === undefined)) return;
    const rows = toRows(route.prefix.bytes.length === 4 ? 4 : 16, [route], change);
    this.#notify((events) => events.onRoutes(rows), except);
  }

  #notify(tell: (events: KernelEvents) => void, except?: User): void {
    if (this.deaf) return;
    void this.#deliver(() => {
      for (const { events } of this.#users.filter((user) => user !== except)) {
        if (events !== undefined) tell(events);
      }
    });
  }

  #deliver(fn: () => void): Promise<void> {
    if (!this.held) {
      fn();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        fn();
        resolve();
      });
    });
  }
}

function keyOf(route: Pick<KernelRoute, 'prefix' | 'table' | 'metric'>): string {
  return `${route.table} ${formatPrefix(route.prefix)} ${route.metric}`;
}

function connectedRoute(address: KernelAddress): KernelRoute {
  const bytes = maskBytes(address.peer ?? address.address, address.prefixLength);
  return {
    prefix: { bytes, length: address.prefixLength },
    table: MAIN_TABLE,
    metric: address.address.length === 16 ? 256 : 0,
    protocol: RTPROT_KERNEL,
    type: 'unicast',
    nextHops: [{ ifindex: address.ifindex }],
  };
}

/** Routes as the kernel would tell them. */
export function toRows(addressBytes: 4 | 16, routes: readonly KernelRoute[], change: number): RouteRows {
  const stride = addressBytes / 4;
  const words = new Int32Array(routes.length * stride);
  routes.forEach((route, i) => {
    words.set(toWords(route.prefix.bytes), i * stride);
  });
  return {
    addressBytes,
    count: routes.length,
    words,
    bits: Uint8Array.from(routes, (route) => route.prefix.length),
    tables: Uint32Array.from(routes, (route) => route.table),
    metrics: Uint32Array.from(routes, (route) => route.metric),
    protocols: Uint8Array.from(routes, (route) => route.protocol),
    changes: new Uint8Array(routes.length).fill(change),
    pathIndex: Uint32Array.from(routes, (_, i) => i),
    paths: routes.map(({ type, nextHops, prefSource, scope, realm, metrics }) => ({
      type,
      nextHops,
      ...(prefSource === undefined ? {} : { prefSource }),
      ...(scope === undefined ? {} : { scope }),
      ...(realm === undefined ? {} : { realm }),
      ...(metrics === undefined ? {} : { metrics }),
    })),
  };
}

/** Linux names the scope of every IPv4 route; universe is none to name. */
function asShown({ scope: wanted, ...target }: KernelTarget, addressBytes: 4 | 16): KernelTarget {
  const scope = wanted ?? usualScope(target, addressBytes);
  return { ...target, ...(scope !== RT_SCOPE.universe && { scope }) };
}
