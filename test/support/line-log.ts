// A log that keeps its lines, `warn the sentence`, for tests of what is said. Debug messages and fields are left out.

import type { LogFields, Logger } from '../../src/lib/log.ts';

export class LineLog implements Logger {
  readonly lines: string[] = [];
  debug(): void {}
  info(_fields: LogFields, message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(_fields: LogFields, message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(_fields: LogFields, message: string): void {
    this.lines.push(`error ${message}`);
  }
  child(): Logger {
    return this;
  }
}
