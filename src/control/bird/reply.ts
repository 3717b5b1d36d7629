// Lines of a reply and how they stand on the wire: `1007-text` while more follows, ` text` for more of the same code,
// `0000 text` for the last one. Asynchronous lines (`+text`) may stand between any two of them.

/** One line: its code, and text without a line end. */
export interface Line {
  readonly code: number;
  readonly text: string;
}

/** Lines of a reply, the last of which ends it; undefined = a moment to do something else. */
export type Reply = Iterable<Line | undefined> | AsyncIterable<Line | undefined>;

/** Reply codes by what they mean. */
export const CODE = {
  ok: 0,
  welcome: 1,
  readingConfiguration: 2,
  reconfigured: 3,
  shutdownOrdered: 7,
  alreadyDisabled: 8,
  disabled: 9,
  alreadyEnabled: 10,
  enabled: 11,
  restarted: 12,
  statusReport: 13,
  routeCount: 14,
  reloading: 15,
  restricted: 16,
  confirmed: 18,
  nothingToDo: 19,
  configurationOk: 20,
  undoRequested: 21,
  undoScheduled: 22,
  evaluation: 23,
  gracefulRestart: 24,
  gracefulRestartOrdered: 25,
  version: 1000,
  interface: 1001,
  protocol: 1002,
  address: 1003,
  interfaceFlags: 1004,
  interfaceSummary: 1005,
  protocolDetails: 1006,
  route: 1007,
  routeDetails: 1008,
  static: 1009,
  symbol: 1010,
  uptime: 1011,
  attributes: 1012,
  memory: 1018,
  roa: 1019,
  bfd: 1020,
  protocolHeading: 2002,
  interfaceHeading: 2005,
  networkNotFound: 8001,
  configurationError: 8002,
  noProtocols: 8003,
  stoppedByReconfiguration: 8004,
  protocolDown: 8005,
  reloadFailed: 8006,
  accessDenied: 8007,
  evaluationError: 8008,
  runtimeError: 8009,
  tooLong: 9000,
  parseError: 9001,
  wrongSymbol: 9002,
} as const;

export const DONE: Line = { code: CODE.ok, text: '' };

export function line(code: number, text: string): Line {
  return { code, text };
}

export function asynchronous(text: string): string {
  return `+${oneLine(text)}\n`;
}

const CODE_DIGITS = 4;
/** Longer lines would break clients that read into buffers of a fixed size. */
const MAX_LINE = 4096;
const OVERFLOW = '<line overflow>';

/** Puts the lines of one reply on the wire. The last line is only known by what follows: it is held until then. */
export class ReplyFramer {
  #shownCode = -1;
  #held: Line | undefined;

  /** The next line; returns what can be sent. */
  push(next: Line): string {
    const held = this.#held;
    this.#held = next;
    if (held === undefined) return '';
    const same = held.code === this.#shownCode;
    this.#shownCode = held.code;
    return `${same ? ' ' : `${digits(held.code)}-`}${oneLine(held.text)}\n`;
  }

  /** The line that ends the reply. */
  end(): string {
    const last = this.#held ?? DONE;
    this.#held = undefined;
    this.#shownCode = -1;
    return `${digits(last.code)} ${oneLine(last.text)}\n`;
  }
}

function digits(code: number): string {
  return String(code).padStart(CODE_DIGITS, '0');
}

/** A peer's words may hold anything; on the wire a line end ends a line. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const clean = /[\x00-\x08\x0a-\x1f\x7f]/.test(text) ? text.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '?') : text;
  return clean.length <= MAX_LINE ? clean : OVERFLOW;
}
