// The process's signals for daemons that share it: each has its own listeners, and one that ends can tell the others.

interface Source {
  on(signal: string, listener: () => void): unknown;
  removeListener(signal: string, listener: () => void): unknown;
}

export class SignalHub {
  readonly #source: Source;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #relays = new Map<string, () => void>();
  #stopping = false;

  constructor(source: Source) {
    this.#source = source;
  }

  on(signal: string, listener: () => void): void {
    let listeners = this.#listeners.get(signal);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(signal, listeners);
      const relay = (): void => this.emit(signal);
      this.#relays.set(signal, relay);
      this.#source.on(signal, relay);
    }
    listeners.add(listener);
  }

  removeListener(signal: string, listener: () => void): void {
    this.#listeners.get(signal)?.delete(listener);
  }

  /** Ends all daemons, unless they are about to end: a second signal would not wait for them. */
  stop(): void {
    if (!this.#stopping) this.emit('SIGTERM');
  }

  /** As if the process had got it. */
  emit(signal: string): void {
    if (signal === 'SIGTERM' || signal === 'SIGINT') this.#stopping = true;
    for (const listener of [...(this.#listeners.get(signal) ?? [])]) listener();
  }

  /** The process's signals do again what they do by themselves. */
  close(): void {
    for (const [signal, relay] of this.#relays) this.#source.removeListener(signal, relay);
    this.#relays.clear();
    this.#listeners.clear();
  }
}
