// The Linux kernel as the speaker's thread sees it: every call becomes a message to the thread that owns the sockets,
// so that this one never waits for the kernel. What a route costs here is its place in a batch's columns.

import { Worker } from 'node:worker_threads';
import type {
  Kernel,
  KernelAddress,
  KernelEvents,
  KernelLink,
  KernelTarget,
  RouteBatch,
  RouteFailure,
  RouteRows,
} from '../types.ts';
import { type FdPoll, type Libc, loadLibc } from './libc.ts';
import { batchBuffers, type WorkerReport, type WorkerRequest } from './worker-protocol.ts';

interface Waiting {
  settle(report: WorkerReport): void;
  fail(error: Error): void;
  onRows?: (rows: RouteRows) => void;
}

export class NetlinkKernel implements Kernel {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #events: KernelEvents | undefined;
  #ready: { resolve(): void; reject(error: Error): void } | undefined;
  #failed: Error | undefined;
  #closing = false;
  readonly #libc: Libc;
  #poll: FdPoll | undefined;

  private constructor(worker: Worker, libc: Libc) {
    this.#worker = worker;
    this.#libc = libc;
    worker.on('message', (report: WorkerReport) => this.#receive(report));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => this.#fail(new Error('the netlink thread ended')));
  }

  /** Starts the thread; rejects where there is no netlink or no library to reach it. */
  static async open(): Promise<NetlinkKernel> {
    const libc = await loadLibc();
    // From the built files the worker is JavaScript, from the sources TypeScript (Node 22.18 and later run it).
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./netlink-worker.${extension}`, import.meta.url));
    const kernel = new NetlinkKernel(worker, libc);
    return new Promise((resolve, reject) => {
      kernel.#ready = { resolve: () => resolve(kernel), reject };
    });
  }

  defineTarget(targetId: number, target: KernelTarget): void {
    this.#post({ kind: 'define', targetId, target });
  }

  async apply(batch: RouteBatch): Promise<RouteFailure[]> {
    const report = await this.#request((id) => ({ kind: 'apply', id, batch }), {
      transfer: batchBuffers(batch),
    });
    return report.kind === 'applied' ? report.failures : unexpected(report);
  }

  async scanRoutes(addressBytes: 4 | 16, onRows: (rows: RouteRows) => void): Promise<{ complete: boolean }> {
    const report = await this.#request((id) => ({ kind: 'scan', id, addressBytes }), { onRows });
    return report.kind === 'scanEnd' ? { complete: report.complete } : unexpected(report);
  }

  async dumpLinks(): Promise<KernelLink[]> {
    const report = await this.#request((id) => ({ kind: 'links', id }));
    return report.kind === 'links' ? report.links : unexpected(report);
  }

  async dumpAddresses(): Promise<KernelAddress[]> {
    const report = await this.#request((id) => ({ kind: 'addresses', id }));
    return report.kind === 'addresses' ? report.addresses : unexpected(report);
  }

  async watch(events: KernelEvents): Promise<void> {
    this.#events = events;
    await this.#request((id) => ({ kind: 'watch', id }));
  }

  async close(): Promise<void> {
    if (this.#closing || this.#failed !== undefined) return;
    this.#stopPolling();
    const ended = new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve());
    });
    const answered = this.#request((id) => ({ kind: 'close', id }));
    this.#closing = true;
    await answered;
    await ended;
  }

  #request(
    make: (id: number) => WorkerRequest,
    options: { transfer?: ArrayBuffer[]; onRows?: (rows: RouteRows) => void } = {},
  ): Promise<WorkerReport> {
    const failed = this.#closing ? new Error('the kernel is closed') : this.#failed;
    if (failed !== undefined) return Promise.reject(failed);
    const id = this.#nextId++;
    return new Promise((settle, fail) => {
      const { onRows } = options;
      this.#waiting.set(id, { settle, fail, ...(onRows === undefined ? {} : { onRows }) });
      this.#post(make(id), options.transfer);
    });
  }

  #post(request: WorkerRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(report: WorkerReport): void {
    switch (report.kind) {
      case 'ready':
        this.#ready?.resolve();
        this.#ready = undefined;
        return;
      case 'scanned':
        this.#waiting.get(report.id)?.onRows?.(report.rows);
        return;
      case 'routes':
        this.#events?.onRoutes(report.rows);
        return;
      case 'link':
        this.#events?.onLink(report.change, report.link);
        return;
      case 'address':
        this.#events?.onAddress(report.change, report.address);
        return;
      case 'listen':
        this.#listen(report.fd);
        return;
      case 'rearm':
        this.#poll?.resume();
        return;
      case 'overrun':
        this.#events?.onOverrun();
        return;
      case 'routesLost':
        this.#events?.onRoutesLost();
        return;
      case 'failure':
        this.#fail(new Error(report.message));
        return;
      default: {
        const waiting = this.#waiting.get(report.id);
        this.#waiting.delete(report.id);
        if (report.kind === 'refused') waiting?.fail(new Error(report.message));
        else waiting?.settle(report);
      }
    }
  }

  #listen(fd: number): void {
    this.#poll = this.#libc.pollReadable(fd, () => {
      this.#poll?.pause();
      this.#post({ kind: 'readable' });
    });
  }

  #stopPolling(): void {
    this.#poll?.close();
    this.#poll = undefined;
  }

  /** The thread is of no use any more: everybody who waits is told, and later calls fail at once. */
  #fail(error: Error): void {
    if (this.#failed !== undefined) return;
    this.#failed = error;
    this.#stopPolling();
    this.#ready?.reject(error);
    this.#ready = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    if (this.#closing) {
      for (const one of waiting) one.settle({ kind: 'ready' });
      return;
    }
    for (const one of waiting) one.fail(error);
    this.#events?.onFailure(error);
  }
}

function unexpected(report: WorkerReport): never {
  throw new Error(`the netlink thread answered ${report.kind} to something else`);
}
