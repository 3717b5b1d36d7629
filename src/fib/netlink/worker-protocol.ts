// What travels between the main thread and the thread that owns the netlink sockets. Columns go as transferred
// buffers: neither side copies a full table.

import type {
  KernelAddress,
  KernelLink,
  KernelTarget,
  RouteBatch,
  RouteFailure,
  RouteRows,
} from '../types.ts';

/** Main thread -> worker. Requests with an id are answered once. */
export type WorkerRequest =
  | { readonly kind: 'define'; readonly targetId: number; readonly target: KernelTarget }
  | { readonly kind: 'apply'; readonly id: number; readonly batch: RouteBatch }
  | { readonly kind: 'scan'; readonly id: number; readonly addressBytes: 4 | 16 }
  | { readonly kind: 'links' | 'addresses' | 'watch' | 'close'; readonly id: number }
  /** The descriptor of `listen` has something to read. */
  | { readonly kind: 'readable' };

/** Worker -> main thread. */
export type WorkerReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'applied'; readonly id: number; readonly failures: RouteFailure[] }
  /** A part of scan `id`. */
  | { readonly kind: 'scanned'; readonly id: number; readonly rows: RouteRows }
  | { readonly kind: 'scanEnd'; readonly id: number; readonly complete: boolean }
  | { readonly kind: 'links'; readonly id: number; readonly links: KernelLink[] }
  | { readonly kind: 'addresses'; readonly id: number; readonly addresses: KernelAddress[] }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'refused'; readonly id: number; readonly message: string }
  | { readonly kind: 'routes'; readonly rows: RouteRows }
  | { readonly kind: 'link'; readonly change: 'add' | 'delete'; readonly link: KernelLink }
  | { readonly kind: 'address'; readonly change: 'add' | 'delete'; readonly address: KernelAddress }
  /** The main thread shall watch this descriptor, and say `readable` once; `rearm` asks for the next time. */
  | { readonly kind: 'listen'; readonly fd: number }
  | { readonly kind: 'rearm' }
  | { readonly kind: 'overrun' | 'routesLost' }
  | { readonly kind: 'failure'; readonly message: string };

/** The buffers of `rows`, to be transferred. */
export function rowBuffers(rows: RouteRows): ArrayBuffer[] {
  const columns = [
    rows.words,
    rows.bits,
    rows.tables,
    rows.metrics,
    rows.protocols,
    rows.changes,
    rows.pathIndex,
  ];
  return columns.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}

export function batchBuffers(batch: RouteBatch): ArrayBuffer[] {
  return [batch.kinds.buffer, batch.words.buffer, batch.bits.buffer, batch.targets.buffer];
}
