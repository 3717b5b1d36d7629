// The client's side of BIRD's control protocol: one connection, commands one after the other, replies as lines with
// their codes. A line is `CODE-text` (more follow), `CODE text` (the last one), ` text` (code as before) or `+text`
// (a message that belongs to no command).

import { connect, type Socket } from 'node:net';

export interface ReplyLine {
  /** Of the line itself; undefined where it stands for the one before. */
  readonly code: number | undefined;
  readonly text: string;
  readonly last: boolean;
  /** As it came. */
  readonly raw: string;
}

/** The socket cannot be reached, or the daemon left. */
export class BirdClientError extends Error {
  override readonly name = 'BirdClientError';
}

const CODE_DIGITS = 4;
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  ECONNREFUSED: 'Connection refused',
  EACCES: 'Permission denied',
};

/** A line as the protocol means it. */
export function parseReplyLine(raw: string): ReplyLine | undefined {
  if (raw.startsWith(' ')) return { code: undefined, text: raw.slice(1), last: false, raw };
  const code = raw.slice(0, CODE_DIGITS);
  const mark = raw[CODE_DIGITS];
  if (!/^\d{4}$/.test(code) || (mark !== '-' && mark !== ' ' && mark !== undefined)) return undefined;
  return { code: Number(code), text: raw.slice(CODE_DIGITS + 1), last: mark !== '-', raw };
}

export class BirdClient {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  #rest = '';
  #wake: (() => void) | undefined;
  #closed = false;
  /** The daemon's first line. */
  greeting: ReplyLine = { code: undefined, text: '', last: true, raw: '' };
  /** Called for messages that belong to no command. */
  onMessage: (text: string) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
    // What went wrong shows as the end of the connection.
    socket.on('error', () => {});
  }

  /** Connects and reads the greeting. Rejects with BirdClientError. */
  static async connect(path: string): Promise<BirdClient> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const fresh = connect({ path });
      fresh.once('connect', () => resolve(fresh));
      fresh.once('error', (error: NodeJS.ErrnoException) => {
        const reason = REASONS[error.code ?? ''] ?? error.message;
        reject(new BirdClientError(`Unable to connect to server control socket (${path}): ${reason}`));
      });
    });
    const client = new BirdClient(socket);
    client.greeting = await client.#next();
    return client;
  }

  /** Sends a command and hands over every line of its reply; resolves with the last code. */
  async run(command: string, onLine: (line: ReplyLine) => void | Promise<void>): Promise<number> {
    this.#socket.write(`${command}\n`);
    let code = 0;
    for (;;) {
      const line = await this.#next();
      code = line.code ?? code;
      await onLine(line);
      if (line.last) return code;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('+')) this.onMessage(line.slice(1));
      else this.#lines.push(line);
    }
    this.#wake?.();
  }

  async #next(): Promise<ReplyLine> {
    while (this.#lines.length === 0) {
      if (this.#closed) throw new BirdClientError('Connection closed by server');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const raw = this.#lines.shift() ?? '';
    const line = parseReplyLine(raw);
    if (line === undefined) throw new BirdClientError(`Invalid reply of the server: ${raw}`);
    return line;
  }
}
