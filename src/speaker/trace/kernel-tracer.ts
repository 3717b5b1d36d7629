// What of a table goes to the kernel, as lines of the log: a route that is wanted there, another one in its place, or none
// any more. It is looked at once a decision and all that follows from it are over.

import type { FamilyRib } from '../../rib/family-rib.ts';
import type { TableRoom } from '../table-room.ts';
import { livingBest } from './route-text.ts';
import type { RouteWords } from './route-tracer.ts';

/** Follows one table of one family until it is closed. */
export class KernelTracer {
  readonly family: FamilyRib;
  readonly #room: TableRoom;
  readonly #owner: string;
  readonly #words: RouteWords;
  readonly #unlisten: () => void;
  /** What the kernel was given, by prefix. */
  readonly #told = new Map<number, string>();
  #closed = false;

  constructor(room: TableRoom, family: FamilyRib, owner: string, words: RouteWords) {
    this.#room = room;
    this.family = family;
    this.#owner = owner;
    this.#words = words;
    this.#unlisten = family.locRib.addListener((prefixId) => {
      queueMicrotask(() => this.#look(prefixId));
    });
  }

  close(): void {
    this.#closed = true;
    this.#unlisten();
  }

  #look(prefixId: number): void {
    if (this.#closed) return;
    const { family } = this;
    const wanted = this.#room.kernel?.fib?.route(family.family.id, prefixId)?.desired;
    const row = livingBest(family, prefixId);
    const before = this.#told.get(prefixId);
    if (wanted !== undefined && row !== 0) {
      const text = this.#words.text(family, row);
      this.#told.set(prefixId, text);
      this.#words.tell(
        this.#owner,
        family,
        'routes',
        `< ${before === undefined ? 'added' : 'replaced'} ${text}`,
      );
    } else if (before !== undefined) {
      this.#told.delete(prefixId);
      this.#words.tell(this.#owner, family, 'routes', `< removed ${before}`);
    }
  }
}
