// What travels between the main thread and the one that keeps the sessions. Few messages: sessions come and go, and
// what becomes of them is told. An eventfd wakes the thread, which waits for packets and not for messages.

import type { BfdImage } from './image.ts';
import type { SessionReport, SessionSpec } from './service.ts';
import type { SessionOptions } from './session.ts';

export interface WorkerData {
  /** Readable when there are messages. */
  readonly wakeFd: number;
}

export type WorkerCommand =
  | {
      readonly kind: 'add';
      readonly id: number;
      readonly spec: SessionSpec;
      readonly image: BfdImage | undefined;
    }
  | { readonly kind: 'update'; readonly id: number; readonly options: SessionOptions }
  | { readonly kind: 'remove'; readonly id: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'handOver' };

export type WorkerNews =
  | {
      readonly kind: 'reports';
      readonly reports: readonly SessionReport[];
      /** Wall-clock milliseconds; the main thread may be late to read it. */
      readonly at: number;
    }
  | { readonly kind: 'closed' }
  | { readonly kind: 'images'; readonly images: ReadonlyMap<number, BfdImage> };
