// The one place that listens to the kernel: subscribes, scans, and hands everything in its order to the consumers (the
// FIB, the view of foreign routes) from a stage of the scheduler, so that a full table's scan never holds up the
// thread. Knows when a scan is due: at start, after lost notifications, when links or addresses change (Linux drops
// IPv4 routes of a link that goes down without telling), when somebody asks, and for the slow audit.

import type { Clock, Timer } from '../lib/clock.ts';
import { errorText } from '../lib/error-text.ts';
import type { Logger } from '../lib/log.ts';
import type { Scheduler, Stage } from '../lib/scheduler.ts';
import type { Kernel, KernelAddress, KernelEvents, KernelLink, RouteRows } from './types.ts';

export type AddressBytes = 4 | 16;
export type LinkTurn = 'up' | 'down' | 'none';

export interface KernelConsumer {
  scanStarted(addressBytes: AddressBytes): void;
  scanRows(rows: RouteRows): void;
  /** Called again and again until it returns true; `complete` is false where routes may be missing. */
  scanEnded(addressBytes: AddressBytes, complete: boolean, pastDeadline: () => boolean): boolean;
  changes(rows: RouteRows): void;
  /** `turned` says whether packets can pass now that could not before, or no longer. */
  link(change: 'add' | 'delete', link: KernelLink, turned: LinkTurn): void;
  address(change: 'add' | 'delete', address: KernelAddress): void;
  /** All links and addresses there are, instead of what was known. */
  inventory(links: readonly KernelLink[], addresses: readonly KernelAddress[]): void;
  /** Some route of the consumer's leads through this interface. */
  usesLink(ifindex: number): boolean;
  /** The kernel is out of reach for good. */
  failed(error: Error): void;
}

export interface KernelMonitorOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  readonly scanTime: ScanTimes;
}

/** Seconds between audits of a family; 0 = none. */
export type ScanTimes = Readonly<Record<AddressBytes, number>>;

/** Work for the stage; returns true when it is finished. */
type Item = (pastDeadline: () => boolean) => boolean;

/** Scans that were asked for within this time of the last one wait. */
const MIN_SCAN_INTERVAL_MS = 1000;
const MAX_INCOMPLETE_SCANS = 5;

interface FamilyScan {
  readonly addressBytes: AddressBytes;
  running: boolean;
  wanted: string | undefined;
  incomplete: number;
  lastStart: number;
  timer: Timer | undefined;
  audit: Timer | undefined;
}

export class KernelMonitor {
  readonly #options: KernelMonitorOptions;
  readonly #consumers: KernelConsumer[] = [];
  readonly #items: Item[] = [];
  readonly #linksUp = new Set<number>();
  readonly #scans: readonly FamilyScan[] = [newScan(4), newScan(16)];
  readonly #stage: Stage = { name: 'kernel', run: (deadline) => this.#run(deadline) };
  readonly #wake: () => void;
  #scanTime: ScanTimes;
  #inventoryTimer: Timer | undefined;
  /** What became of links and addresses since they were last asked for; undefined once the answer has been told. */
  #sinceAsked: (() => void)[] | undefined;
  #started: { resolve(): void; reject(error: Error): void } | undefined;
  #closed = false;
  /** Why the kernel is out of reach for good, if it is. */
  failure: Error | undefined;
  /** Wall-clock milliseconds of the last finished scan. */
  lastScanAt: number | undefined;
  overruns = 0;

  constructor(options: KernelMonitorOptions) {
    this.#options = options;
    this.#scanTime = options.scanTime;
    this.#wake = options.scheduler.add(this.#stage);
  }

  /** Consumers are called in the order in which they were added. */
  add(consumer: KernelConsumer): void {
    this.#consumers.push(consumer);
  }

  /** Subscribes and scans; resolves when every consumer has seen all there is. */
  async start(): Promise<void> {
    await this.#options.kernel.watch(this.#events());
    await this.#takeInventory();
    const scanned = new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    for (const scan of this.#scans) this.#startScan(scan);
    await scanned;
    for (const scan of this.#scans) this.#armAudit(scan);
  }

  /** Scans one family, or both, soon. */
  requestScan(reason: string, addressBytes?: AddressBytes): void {
    for (const scan of this.#scans) {
      if (addressBytes !== undefined && scan.addressBytes !== addressBytes) continue;
      scan.wanted = reason;
      this.#startIfDue(scan);
    }
  }

  /** Other times between audits. */
  useScanTime(scanTime: ScanTimes): void {
    const before = this.#scanTime;
    this.#scanTime = scanTime;
    for (const scan of this.#scans) {
      if (scanTime[scan.addressBytes] === before[scan.addressBytes]) continue;
      scan.audit?.cancel();
      this.#armAudit(scan);
    }
  }

  close(): void {
    this.#closed = true;
    this.#options.scheduler.remove(this.#stage);
    this.#inventoryTimer?.cancel();
    for (const scan of this.#scans) {
      scan.timer?.cancel();
      scan.audit?.cancel();
    }
    this.#items.length = 0;
  }

  #events(): KernelEvents {
    return {
      onRoutes: (rows) => this.#tell((consumer) => consumer.changes(rows)),
      onLink: (change, link) => this.#afterInventory(() => this.#tellLink(change, link)),
      onAddress: (change, address) => this.#afterInventory(() => this.#tellAddress(change, address)),
      onOverrun: () => {
        this.overruns++;
        this.#options.log.warn({}, 'kernel notifications were lost; reading everything again');
        this.#takeInventoryAgain();
        this.requestScan('notifications were lost');
      },
      onRoutesLost: () => {
        this.#options.log.info(
          {},
          'somebody deleted or changed a next-hop object of ours; looking for its routes',
        );
        this.requestScan('a next-hop object is gone');
      },
      onFailure: (error) => this.#fail(error),
    };
  }

  #tellLink(change: 'add' | 'delete', link: KernelLink): void {
    const before = this.#linksUp.has(link.ifindex);
    const after = change === 'add' && link.up;
    if (after) this.#linksUp.add(link.ifindex);
    else this.#linksUp.delete(link.ifindex);
    const turned = before === after ? 'none' : after ? 'up' : 'down';
    this.#tell((consumer) => consumer.link(change, link, turned));
    // Linux drops IPv4 routes of an interface that goes down, silently.
    if (turned === 'down') this.#scanForLink(link.ifindex, `link ${link.name} went down`);
  }

  #tellAddress(change: 'add' | 'delete', address: KernelAddress): void {
    this.#tell((consumer) => consumer.address(change, address));
    // With its last address an interface loses its IPv4 routes, silently.
    if (change === 'delete') this.#scanForLink(address.ifindex, 'an address was removed');
  }

  #scanForLink(ifindex: number, reason: string): void {
    if (this.#consumers.some((consumer) => consumer.usesLink(ifindex))) this.requestScan(reason);
  }

  #tell(call: (consumer: KernelConsumer) => void): void {
    this.#enqueue(() => {
      for (const consumer of this.#consumers) call(consumer);
      return true;
    });
  }

  #enqueue(item: Item): void {
    if (this.#closed) return;
    this.#items.push(item);
    this.#wake();
  }

  #run(deadline: number): boolean {
    const { clock } = this.#options;
    const pastDeadline = () => clock.now() >= deadline;
    let done = 0;
    while (done < this.#items.length) {
      if (!this.#items[done]!(pastDeadline)) break;
      done++;
      if (pastDeadline()) break;
    }
    this.#items.splice(0, done);
    return this.#items.length > 0;
  }

  async #takeInventory(): Promise<void> {
    const { kernel } = this.#options;
    // What an earlier question has collected is older than the answer to this one.
    const since: (() => void)[] = [];
    this.#sinceAsked = since;
    try {
      const links = await kernel.dumpLinks();
      const addresses = await kernel.dumpAddresses();
      this.#linksUp.clear();
      for (const link of links) if (link.up) this.#linksUp.add(link.ifindex);
      this.#tell((consumer) => consumer.inventory(links, addresses));
    } finally {
      if (this.#sinceAsked === since) {
        this.#sinceAsked = undefined;
        for (const tell of since) tell();
      }
    }
  }

  /** A link may have turned after it was read and before that is told: the older answer must not have the last word. */
  #afterInventory(tell: () => void): void {
    if (this.#sinceAsked === undefined) tell();
    else this.#sinceAsked.push(tell);
  }

  #takeInventoryAgain(): void {
    const { clock, log } = this.#options;
    this.#takeInventory().catch((error: unknown) => {
      if (this.#closed) return;
      log.warn({ error: errorText(error) }, 'cannot read the links and addresses; trying again');
      this.#inventoryTimer?.cancel();
      this.#inventoryTimer = clock.setTimer(MIN_SCAN_INTERVAL_MS, () => this.#takeInventoryAgain());
    });
  }

  #startIfDue(scan: FamilyScan): void {
    if (scan.running || this.#closed || scan.wanted === undefined || scan.timer !== undefined) return;
    const { clock } = this.#options;
    const wait = scan.lastStart + MIN_SCAN_INTERVAL_MS - clock.now();
    if (wait <= 0) {
      this.#startScan(scan);
      return;
    }
    scan.timer = clock.setTimer(wait, () => {
      scan.timer = undefined;
      this.#startIfDue(scan);
    });
  }

  #startScan(scan: FamilyScan): void {
    const { kernel, clock, log } = this.#options;
    const { addressBytes } = scan;
    log.debug({ addressBytes, reason: scan.wanted ?? 'start' }, 'scanning kernel routes');
    scan.running = true;
    scan.wanted = undefined;
    scan.lastStart = clock.now();
    this.#tell((consumer) => consumer.scanStarted(addressBytes));
    kernel
      .scanRoutes(addressBytes, (rows) => this.#tell((consumer) => consumer.scanRows(rows)))
      .then(
        ({ complete }) => this.#endScan(scan, complete),
        (error: unknown) => this.#scanFailed(scan, error),
      );
  }

  /** Nothing works without the first one; a later one may want a descriptor or memory that is there the next time. */
  #scanFailed(scan: FamilyScan, error: unknown): void {
    if (this.#started !== undefined) this.#fail(error);
    else if (!this.#closed) {
      this.#options.log.warn({ error: errorText(error) }, 'cannot read the kernel routes; trying again');
      this.#endScan(scan, false);
    }
  }

  #endScan(scan: FamilyScan, complete: boolean): void {
    let next = 0;
    this.#enqueue((pastDeadline) => {
      for (; next < this.#consumers.length; next++) {
        if (!this.#consumers[next]!.scanEnded(scan.addressBytes, complete, pastDeadline)) return false;
      }
      this.#scanDone(scan, complete);
      return true;
    });
  }

  #scanDone(scan: FamilyScan, complete: boolean): void {
    scan.running = false;
    this.lastScanAt = this.#options.clock.wallTime();
    scan.incomplete = complete ? 0 : scan.incomplete + 1;
    if (!complete && scan.incomplete <= MAX_INCOMPLETE_SCANS) scan.wanted ??= 'the last scan was interrupted';
    if (this.#started !== undefined && this.#scans.every((one) => !one.running)) {
      this.#started.resolve();
      this.#started = undefined;
    }
    this.#startIfDue(scan);
  }

  #armAudit(scan: FamilyScan): void {
    const seconds = this.#scanTime[scan.addressBytes];
    if (seconds === 0 || this.#closed) return;
    scan.audit = this.#options.clock.setTimer(seconds * 1000, () => {
      this.requestScan('audit', scan.addressBytes);
      this.#armAudit(scan);
    });
  }

  #fail(cause: unknown): void {
    if (this.#closed) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.failure = error;
    this.#options.log.error({ error: error.message }, 'the kernel is out of reach');
    this.#started?.reject(error);
    this.#started = undefined;
    this.close();
    for (const consumer of this.#consumers) consumer.failed(error);
  }
}

function newScan(addressBytes: AddressBytes): FamilyScan {
  return {
    addressBytes,
    running: false,
    wanted: undefined,
    incomplete: 0,
    lastStart: Number.NEGATIVE_INFINITY,
    timer: undefined,
    audit: undefined,
  };
}
