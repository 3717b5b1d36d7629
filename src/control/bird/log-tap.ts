// Log lines for connections that want to see them (`echo`): a logger that passes on what it writes. Nothing is kept.

import type { LogFields, Logger } from '../../lib/log.ts';

/** BIRD's classes, as far as there is something like them. */
export type EchoClass = 'debug' | 'info' | 'warning' | 'error';
export type EchoListener = (kind: EchoClass, text: string) => void;

export class LogTap {
  readonly #listeners = new Set<EchoListener>();

  /** Returns the function that ends it. */
  listen(listener: EchoListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A logger that writes to `target` and to whoever listens. */
  over(target: Logger): Logger {
    const tell = (kind: EchoClass, text: string): void => {
      for (const listener of this.#listeners) listener(kind, text);
    };
    const write = (kind: EchoClass, level: 'debug' | 'info' | 'warn' | 'error') => {
      return (fields: LogFields, message: string): void => {
        target[level](fields, message);
        tell(kind, message);
      };
    };
    return {
      debug: write('debug', 'debug'),
      info: write('info', 'info'),
      warn: write('warning', 'warn'),
      error: write('error', 'error'),
      child: (fields) => this.over(target.child(fields)),
    };
  }
}
