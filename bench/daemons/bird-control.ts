// BIRD's control socket without birdc: one connection, one command at a time. A reply ends with a line of four digits
// and a blank; digits and a dash, or a leading blank, go on.

import { connect, type Socket } from 'node:net';

const LAST_LINE = /(?:^|\n)\d{4} [^\n]*\n$/;

export class BirdControl {
  readonly #socket: Socket;
  #text = '';
  #waiting: { resolve(text: string): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#text += text;
      if (!LAST_LINE.test(this.#text)) return;
      const reply = this.#text;
      this.#text = '';
      this.#waiting?.resolve(reply);
    });
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the control socket was closed')));
  }

  /** Resolves after BIRD's greeting. */
  static async open(path: string): Promise<BirdControl> {
    const control = new BirdControl(connect(path));
    await control.#reply();
    return control;
  }

  /** The whole reply, codes included. */
  ask(command: string): Promise<string> {
    const reply = this.#reply();
    this.#socket.write(`${command}\n`);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  #reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}
